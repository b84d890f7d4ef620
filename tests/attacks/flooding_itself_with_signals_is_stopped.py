#: promise = "Handlers that raise signals again and again cost what any recursion costs"
#: wall_clock_ms = 2000
#: outcome = ["completed", "time_limit", "stack_overflow", "memory_limit"]
#: stdout_has = ["before"]
import signal


def again(number, frame):
    signal.raise_signal(number)


print("before", flush=True)
signal.signal(signal.SIGUSR1, again)
try:
    signal.raise_signal(signal.SIGUSR1)
except RecursionError:
    pass
signal.pthread_sigmask(signal.SIG_SETMASK, range(1, 65))
while True:
    for number in range(1, 65):
        if number not in (signal.SIGKILL, signal.SIGSTOP, 32, 33):
            signal.raise_signal(number)
