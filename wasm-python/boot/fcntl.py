"""File control for a process that shares its files with nobody: locks are always free."""
import errno as _errno
import os as _os

F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW = 0, 1, 2, 3, 4, 5, 6, 7
F_DUPFD_CLOEXEC, FD_CLOEXEC = 1030, 1
F_RDLCK, F_WRLCK, F_UNLCK = 0, 1, 2
LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8

_descriptor_flags = {}


def _fd(file):
    fd = file if isinstance(file, int) else file.fileno()
    _os.fstat(fd)
    return fd


def fcntl(fd, cmd, arg=0, /):
    fd = _fd(fd)
    if cmd == F_GETFD:
        return _descriptor_flags.get(fd, FD_CLOEXEC)
    if cmd == F_SETFD:
        _descriptor_flags[fd] = arg
        return 0
    if cmd == F_GETFL:
        return _os.O_RDWR
    if cmd in (F_SETFL, F_SETLK, F_SETLKW):
        return 0
    raise OSError(_errno.EINVAL, _os.strerror(_errno.EINVAL))


def ioctl(fd, request, arg=0, mutate_flag=True, /):
    _fd(fd)
    raise OSError(_errno.ENOTTY, _os.strerror(_errno.ENOTTY))


def flock(fd, operation, /):
    _fd(fd)
    if operation & ~LOCK_NB not in (LOCK_SH, LOCK_EX, LOCK_UN):
        raise OSError(_errno.EINVAL, _os.strerror(_errno.EINVAL))


def lockf(fd, cmd, len=0, start=0, whence=0, /):
    flock(fd, cmd)
