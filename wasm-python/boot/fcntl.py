"""File control for a process that shares its files with nobody: only its own locks are in its way."""
import errno as _errno
import os as _os
import _pyexec

F_DUPFD, F_GETFD, F_SETFD, F_GETFL, F_SETFL, F_GETLK, F_SETLK, F_SETLKW = 0, 1, 2, 3, 4, 5, 6, 7
F_DUPFD_CLOEXEC, FD_CLOEXEC = 1030, 1
F_RDLCK, F_WRLCK, F_UNLCK = 0, 1, 2
LOCK_SH, LOCK_EX, LOCK_NB, LOCK_UN = 1, 2, 4, 8

_F_SETPIPE_SZ, _F_GETPIPE_SZ = 1031, 1032
_PIPE_BYTES = 65536

_descriptor_flags = {}
# By descriptor: the file that it had when it was locked, and how.
_flocks = {}


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
        return _pyexec.fd_flags(fd)
    if cmd == F_SETFL:
        error = _pyexec.set_fd_flags(fd, arg)
        if error:
            raise OSError(error, _os.strerror(error))
        return 0
    if cmd in (F_SETLK, F_SETLKW):
        return 0
    if cmd in (_F_GETPIPE_SZ, _F_SETPIPE_SZ):
        if _os.fstat(fd).st_mode & 0o170000 != 0o010000:
            raise OSError(_errno.EBADF, _os.strerror(_errno.EBADF))
        return _PIPE_BYTES
    raise OSError(_errno.EINVAL, _os.strerror(_errno.EINVAL))


def ioctl(fd, request, arg=0, mutate_flag=True, /):
    _fd(fd)
    raise OSError(_errno.ENOTTY, _os.strerror(_errno.ENOTTY))


def _file(fd):
    try:
        stat = _os.fstat(fd)
    except OSError:
        return None
    return stat.st_dev, stat.st_ino


def flock(fd, operation, /):
    fd = _fd(fd)
    kind = operation & ~LOCK_NB
    if kind not in (LOCK_SH, LOCK_EX, LOCK_UN):
        raise OSError(_errno.EINVAL, _os.strerror(_errno.EINVAL))
    if kind == LOCK_UN:
        _flocks.pop(fd, None)
        return
    file = _file(fd)

    def is_taken():
        for other, (locked, how) in list(_flocks.items()):
            if _file(other) != locked:
                del _flocks[other]  # closed since
            elif other != fd and locked == file and LOCK_EX in (how, kind):
                return True
        return False

    while is_taken():
        if operation & LOCK_NB:
            raise BlockingIOError(_errno.EAGAIN, _os.strerror(_errno.EAGAIN))
        import time

        time.sleep(0.1)
    _flocks[fd] = file, kind


def lockf(fd, cmd, len=0, start=0, whence=0, /):
    _fd(fd)
    if cmd & ~LOCK_NB not in (LOCK_SH, LOCK_EX, LOCK_UN):
        raise OSError(_errno.EINVAL, _os.strerror(_errno.EINVAL))
