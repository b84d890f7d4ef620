"""multiprocessing's C half: there are no processes, so its locks fail as on Linux without shared memory."""
import errno as _errno
import os as _os

flags = {}


class SemLock:
    SEM_VALUE_MAX = 2147483647

    def __new__(cls, *args, **kwargs):
        import _pyexec_linux

        raise _pyexec_linux.miss("process", "multiprocessing", OSError(_errno.ENOSYS, _os.strerror(_errno.ENOSYS)))


def sem_unlink(name):
    raise FileNotFoundError(_errno.ENOENT, _os.strerror(_errno.ENOENT))
