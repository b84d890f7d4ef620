"""Completes the modules `_signal` and `faulthandler`: a process here gets the signals that it sends to itself, and no others.

The C half is in `guest/signals.c`.
"""
import _pyexec
import _signal
import errno
import posix
import sys
from collections import namedtuple
from operator import index

REAL_TIME_MIN, REAL_TIME_MAX = 34, 64
UNCATCHABLE = frozenset({_signal.SIGKILL, _signal.SIGSTOP})
FATAL = frozenset({_signal.SIGBUS, _signal.SIGILL, _signal.SIGFPE, _signal.SIGABRT, _signal.SIGSEGV})

# As glibc says them; their number is their place.
DESCRIPTIONS = (
    "", "Hangup", "Interrupt", "Quit", "Illegal instruction", "Trace/breakpoint trap", "Aborted", "Bus error",
    "Floating point exception", "Killed", "User defined signal 1", "Segmentation fault", "User defined signal 2",
    "Broken pipe", "Alarm clock", "Terminated", "Stack fault", "Child exited", "Continued", "Stopped (signal)", "Stopped",
    "Stopped (tty input)", "Stopped (tty output)", "Urgent I/O condition", "CPU time limit exceeded",
    "File size limit exceeded", "Virtual timer expired", "Profiling timer expired", "Window changed", "I/O possible",
    "Power failure", "Bad system call",
)

CONSTANTS = {
    "SIGCLD": _signal.SIGCHLD, "SIGRTMIN": REAL_TIME_MIN, "SIGRTMAX": REAL_TIME_MAX, "SIG_BLOCK": 0, "SIG_UNBLOCK": 1, "SIG_SETMASK": 2,
    "ITIMER_REAL": 0, "ITIMER_VIRTUAL": 1, "ITIMER_PROF": 2,
}


class ItimerError(OSError):
    __module__ = "signal"


struct_siginfo = namedtuple("struct_siginfo", "si_signo si_code si_errno si_pid si_uid si_status si_band")
struct_siginfo.__new__ = lambda cls, values: tuple.__new__(cls, values)
struct_siginfo.__module__ = "signal"


def _missing(name, number=errno.ENOSYS):
    import _pyexec_linux

    return _pyexec_linux.miss("signal", f"signal.{name}()", OSError(number, posix.strerror(number)))


def _checked(number):
    if not 0 < number < _signal.NSIG:
        raise ValueError("signal number out of range")
    return number


def _mask(signals):
    mask = 0
    for number in map(index, signals):
        if not 0 < number < _signal.NSIG:
            raise ValueError(f"signal number {number} out of range [1; {_signal.NSIG - 1}]")
        mask |= 1 << number - 1
    return mask


def _set(mask):
    return {number for number in range(1, _signal.NSIG) if mask >> number - 1 & 1}


def valid_signals():
    return {*range(1, len(DESCRIPTIONS)), *range(REAL_TIME_MIN, REAL_TIME_MAX + 1)}


def strsignal(signalnum, /):
    number = _checked(signalnum)
    if number < len(DESCRIPTIONS):
        return DESCRIPTIONS[number]
    return f"Real-time signal {number - REAL_TIME_MIN}" if number >= REAL_TIME_MIN else None


def siginterrupt(signalnum, flag, /):
    if _checked(signalnum) not in valid_signals() - UNCATCHABLE:
        raise OSError(errno.EINVAL, posix.strerror(errno.EINVAL))


def pthread_sigmask(how, mask, /):
    return _set(_pyexec.signal_mask(how, _mask(mask)))


def sigpending():
    return _set(_pyexec.signal_pending())


def sigwait(sigset, /):
    number = _pyexec.signal_take(_mask(sigset))
    if not number:
        raise _missing("sigwait")
    return number


def _taken(number):
    return struct_siginfo((number, 0, 0, posix.getpid(), posix.getuid(), 0, 0))


def sigwaitinfo(sigset, /):
    number = _pyexec.signal_take(_mask(sigset))
    if not number:
        raise _missing("sigwaitinfo")
    return _taken(number)


def sigtimedwait(sigset, timeout, /):
    import time

    if timeout < 0:
        raise ValueError("timeout must be non-negative")
    number = _pyexec.signal_take(_mask(sigset))
    if number:
        return _taken(number)
    time.sleep(timeout)
    return None


def pidfd_send_signal(pidfd, signalnum, siginfo=None, flags=0, /):
    raise OSError(errno.EBADF, posix.strerror(errno.EBADF))


def alarm(seconds, /):
    if seconds:
        raise _missing("alarm")
    return 0


def setitimer(which, seconds, interval=0.0, /):
    getitimer(which)
    if seconds < 0 or interval < 0:
        raise ItimerError(errno.EINVAL, posix.strerror(errno.EINVAL))
    if seconds:
        raise _missing("setitimer")
    return (0.0, 0.0)


def getitimer(which, /):
    if which not in (0, 1, 2):
        raise ItimerError(errno.EINVAL, posix.strerror(errno.EINVAL))
    return (0.0, 0.0)


def pause():
    raise _missing("pause")


def install():
    """Before `signal` is imported, which makes its enumerations of what it finds."""
    if "signal" in sys.modules:
        raise RuntimeError("signal has been imported too early")
    for name, value in CONSTANTS.items():
        setattr(_signal, name, value)
    for made in (ItimerError, struct_siginfo, alarm, getitimer, pause, pidfd_send_signal, pthread_sigmask,
                 setitimer, siginterrupt, sigpending, sigtimedwait, sigwait, sigwaitinfo, strsignal, valid_signals):
        if made not in (ItimerError, struct_siginfo):
            made.__module__ = "_signal"
        setattr(_signal, made.__name__, made)
    _signal.pthread_kill = _pyexec.pthread_kill


def no_such_process(number):
    """os.kill() of another process."""
    if not 0 <= number < _signal.NSIG:
        raise OSError(errno.EINVAL, posix.strerror(errno.EINVAL))
    import _pyexec_linux

    raise _pyexec_linux.miss("process", "os.kill()", ProcessLookupError(errno.ESRCH, posix.strerror(errno.ESRCH)))


def killpg(pgid, signal, /):
    """os.killpg(): the process is alone in its group."""
    _pyexec.kill(posix.getpid() if pgid in (0, posix.getpgrp()) else -1, signal)


# ---- faulthandler ----

# Files stay open as long as a signal writes to them.
_files = {}


def _descriptor(file):
    if file is None:
        file = sys.stderr
        if file is None:
            raise RuntimeError("unable to get sys.stderr")
    if isinstance(file, int):
        if file < 0:
            raise ValueError("file is not a valid file descriptor")
        return None, file
    fd = file.fileno()
    if not isinstance(fd, int) or fd < 0:
        raise RuntimeError("file.fileno() is not a valid file descriptor")
    file.flush()
    return file, fd


def _registered(signum):
    if signum in FATAL:
        raise RuntimeError(f"signal {signum} cannot be registered, use enable() instead")
    return _checked(signum)


def register(signum, file=None, all_threads=True, chain=False):
    number = _registered(signum)
    file, fd = _descriptor(file)
    if number not in valid_signals() - UNCATCHABLE:
        raise OSError(errno.EINVAL, posix.strerror(errno.EINVAL))
    _pyexec.signal_dump_at(number, fd, all_threads, chain)
    _files[number] = file


def unregister(signum, /):
    number = _registered(signum)
    _files.pop(number, None)
    return _pyexec.signal_dump_at(number, -1, False, False)


def install_faulthandler():
    import faulthandler

    faulthandler.register, faulthandler.unregister = register, unregister
    register.__module__ = unregister.__module__ = "faulthandler"
