"""Resource use as far as a process can tell, and limits that only the host sets."""
import errno as _errno
import os as _os
import _pyexec
from operator import index as _index
from collections import namedtuple as _namedtuple

error = OSError
RLIM_INFINITY = -1
RLIMIT_CPU, RLIMIT_FSIZE, RLIMIT_DATA, RLIMIT_STACK, RLIMIT_CORE, RLIMIT_RSS, RLIMIT_NPROC = range(7)
RLIMIT_NOFILE, RLIMIT_MEMLOCK, RLIMIT_AS = 7, 8, 9
RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD = 0, -1, 1

struct_rusage = _namedtuple("struct_rusage", "ru_utime ru_stime ru_maxrss ru_ixrss ru_idrss ru_isrss ru_minflt ru_majflt "
                            "ru_nswap ru_inblock ru_oublock ru_msgsnd ru_msgrcv ru_nsignals ru_nvcsw ru_nivcsw")
struct_rusage.__module__ = "resource"


_limits = {RLIMIT_NOFILE: (4096, 4096), RLIMIT_STACK: (8 << 20, RLIM_INFINITY)}


def getrusage(who):
    import time

    if who not in (RUSAGE_SELF, RUSAGE_CHILDREN, RUSAGE_THREAD):
        raise ValueError("invalid who parameter")
    if who == RUSAGE_CHILDREN:
        return struct_rusage(0.0, 0.0, *[0] * 14)
    return struct_rusage(time.process_time(), 0.0, _pyexec.memory_bytes() >> 10, *[0] * 13)


def getrlimit(resource):
    if not 0 <= resource <= 15:
        raise ValueError("invalid resource specified")
    return _limits.get(resource, (RLIM_INFINITY, RLIM_INFINITY))


def setrlimit(resource, limits):
    import _pyexec_linux

    _, most = getrlimit(resource)
    if resource in (RLIMIT_STACK, RLIMIT_CORE):
        # The stack has a size of its own, and there are no dumps: nothing would come of it.
        soft, hard = map(_index, limits)
        if hard != RLIM_INFINITY and not 0 <= soft <= hard:
            raise ValueError("current limit exceeds maximum limit")
        if most != RLIM_INFINITY and not 0 <= hard <= most:
            raise ValueError("not allowed to raise maximum limit")
        _limits[resource] = soft, hard
        return
    if resource == RLIMIT_NOFILE and tuple(map(_index, limits)) == getrlimit(resource):
        return
    raise _pyexec_linux.miss("limits", "resource.setrlimit()", PermissionError(_errno.EPERM, _os.strerror(_errno.EPERM)))


def prlimit(pid, resource, limits=None):
    return getrlimit(resource) if limits is None else setrlimit(resource, limits)


def getpagesize():
    return 4096
