"""multiprocessing's shared memory: there is nobody to share it with."""


def _refused(name):
    import errno
    import os

    import _pyexec_linux

    return _pyexec_linux.miss("process", "shared memory", OSError(errno.ENOSYS, os.strerror(errno.ENOSYS), name))


def shm_open(path, flags, mode=511):
    raise _refused(path)


def shm_unlink(path):
    raise _refused(path)
