#: promise = "A job that stops itself until somebody continues it ends at its deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
#: stdout_has = ["before"]
import os
import signal

print("before", flush=True)
signal.raise_signal(signal.SIGTSTP)
os.kill(os.getpid(), signal.SIGSTOP)
