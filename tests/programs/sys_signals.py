# What the module says, and signals that a process sends to itself.
import os
import signal

print(sorted(name for name in dir(signal) if name.isupper() or name[0].isupper()))
print([(member.name, member.value) for member in signal.Signals])
print([(member.name, member.value) for member in signal.Sigmasks], list(signal.Handlers), signal.NSIG)
print(sorted(signal.valid_signals()))
print([signal.strsignal(number) for number in range(1, 65)])
# But for SIGHUP: whoever started the tests may have it ignored.
print([signal.getsignal(number) for number in range(2, 65)])
print(repr(signal.SIGCLD), repr(signal.SIGPOLL), repr(signal.SIGIOT), signal.SIGTERM.name, signal.Signals(9))
print(signal.ItimerError.__mro__, signal.getitimer(signal.ITIMER_REAL), signal.alarm(0), signal.set_wakeup_fd(-1))
print(signal.setitimer(signal.ITIMER_PROF, 0), signal.siginterrupt(signal.SIGINT, False))


def tries(function, *arguments):
    try:
        print(function.__name__, arguments, repr(function(*arguments)))
    except Exception as error:
        print(function.__name__, arguments, type(error).__name__, error)


for function, arguments in {
    signal.strsignal: [(0,), (65,), (-1,)],
    signal.getsignal: [(0,), (65,)],
    signal.siginterrupt: [(0, True), (9, True), (32, True), (33, False), (64, True)],
    signal.raise_signal: [(0,), (65,), (-1,)],
    signal.pthread_sigmask: [(7, []), (signal.SIG_BLOCK, [0]), (signal.SIG_BLOCK, [65]), (signal.SIG_BLOCK, ["x"])],
    signal.getitimer: [(7,)],
    signal.setitimer: [(0, -1), (9, 1)],
    signal.sigtimedwait: [([signal.SIGUSR1], 0), ([signal.SIGUSR1], -1)],
    os.kill: [(os.getpid(), 0), (0, 0), (os.getpid(), 65)],
    os.killpg: [(0, 0)],
}.items():
    for each in arguments:
        if function is not os.kill or each[0] == 0:
            tries(function, *each)
for number in (signal.SIGKILL, signal.SIGSTOP, 32, 0, 65):
    tries(signal.signal, number, signal.SIG_IGN)
tries(signal.signal, signal.SIGUSR1, 5)

seen = []


def handler(number, frame):
    seen.append((signal.Signals(number).name, frame.f_code.co_name, frame.f_lineno - here.__code__.co_firstlineno))


def here():
    signal.raise_signal(signal.SIGUSR1)
    os.kill(os.getpid(), signal.SIGUSR2)
    signal.pthread_kill(__import__("threading").get_ident(), signal.SIGHUP)


for number in (signal.SIGUSR1, signal.SIGUSR2, signal.SIGHUP):
    print(signal.signal(number, handler))
here()
print(seen)
print(signal.getsignal(signal.SIGUSR1) is handler, signal.signal(signal.SIGUSR1, signal.SIG_IGN) is handler)
signal.raise_signal(signal.SIGUSR1)
for number in (signal.SIGCHLD, signal.SIGURG, signal.SIGWINCH, signal.SIGCONT, signal.SIGPIPE, signal.SIGXFSZ):
    signal.raise_signal(number)

# Blocked ones wait.
print(signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGUSR2, signal.SIGHUP, signal.SIGKILL}))
signal.raise_signal(signal.SIGHUP)
signal.raise_signal(signal.SIGUSR2)
signal.raise_signal(signal.SIGUSR2)
print(len(seen), sorted(signal.sigpending()), sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))
print(signal.sigwait([signal.SIGHUP]), signal.sigpending())
print(signal.pthread_sigmask(signal.SIG_SETMASK, []) == {signal.SIGUSR2, signal.SIGHUP}, [entry[:2] for entry in seen[3:]], signal.sigpending())
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR2])
os.kill(os.getpid(), signal.SIGUSR2)
info = signal.sigwaitinfo([signal.SIGUSR2])
print(type(info), info.si_signo, info.si_errno, info.si_pid == os.getpid(), info.si_uid == os.getuid())
signal.pthread_sigmask(signal.SIG_UNBLOCK, [signal.SIGUSR2])

# Handlers raise where the signal came.
try:
    os.kill(os.getpid(), signal.SIGINT)
except KeyboardInterrupt as error:
    print("interrupted", error.args)
real = signal.SIGRTMIN + 3
signal.signal(real, lambda number, frame: print("real-time", number))
signal.raise_signal(real)
signal.signal(signal.SIGTERM, lambda number, frame: exec("raise LookupError(number)"))
try:
    signal.raise_signal(signal.SIGTERM)
except LookupError as error:
    print("raised", error)
