"""What the machine, the user and the interpreter say of themselves: the same as in a container.

Functions of the library that would ask another program are answered here: it would be recorded that a process was
started, although what comes of it is known.
"""
import _pyexec
import errno
import posix
import sys

HOST_NAME = "pyexec"
MACHINE = "x86_64"
GLIBC = "2.41"
# The directory of installed shared libraries of a slim container, as far as programs ask for them.
LIBRARIES = {
    "c": "libc.so.6", "m": "libm.so.6", "dl": "libdl.so.2", "pthread": "libpthread.so.0", "rt": "librt.so.1",
    "util": "libutil.so.1", "z": "libz.so.1", "bz2": "libbz2.so.1.0", "lzma": "liblzma.so.5", "crypt": "libcrypt.so.1",
    "crypto": "libcrypto.so.3", "ssl": "libssl.so.3", "sqlite3": "libsqlite3.so.0", "ffi": "libffi.so.8",
    "uuid": "libuuid.so.1", "ncursesw": "libncursesw.so.6", "tinfo": "libtinfo.so.6", "stdc++": "libstdc++.so.6",
    "gcc_s": "libgcc_s.so.1", "resolv": "libresolv.so.2", "readline": "libreadline.so.8", "expat": "libexpat.so.1",
}
CONFIGURATION = {"CS_GNU_LIBC_VERSION": (2, f"glibc {GLIBC}"), "CS_GNU_LIBPTHREAD_VERSION": (3, f"NPTL {GLIBC}")}

# Of a job, and of a process in a container as well.
DESCRIPTORS_MAX = 4096

_confstr, _sysconf = posix.confstr, posix.sysconf


def confstr(name, /):
    for known, (number, value) in CONFIGURATION.items():
        if name in (known, number):
            return value
    return _confstr(name)


def sysconf(name, /):
    known = {"SC_PAGESIZE": 4096, "SC_PAGE_SIZE": 4096, "SC_NPROCESSORS_CONF": 1, "SC_NPROCESSORS_ONLN": 1,
             "SC_OPEN_MAX": DESCRIPTORS_MAX, "SC_CLK_TCK": 100, "SC_ARG_MAX": 2097152, "SC_CHILD_MAX": 128,
             "SC_IOV_MAX": 1024, "SC_NGROUPS_MAX": 65536, "SC_HOST_NAME_MAX": 64, "SC_LOGIN_NAME_MAX": 256}
    number = posix.sysconf_names[name] if isinstance(name, str) and name in posix.sysconf_names else name
    for other, value in known.items():
        if number == posix.sysconf_names.get(other):
            return value
    if number == posix.sysconf_names.get("SC_PHYS_PAGES"):
        return _pyexec.memory_limit() // 4096
    if number == posix.sysconf_names.get("SC_AVPHYS_PAGES"):
        return max(_pyexec.memory_limit() - _pyexec.memory_bytes(), 0) // 4096
    return _sysconf(name)


def uname():
    return posix.uname_result(("Linux", HOST_NAME, "6.1.0", "#1 WebAssembly", MACHINE))


def find_library(name):
    return LIBRARIES.get(name)


def install_early(os):
    # WASI's number of its own, of which Linux has none.
    del errno.ENOTCAPABLE
    errno.errorcode[errno.EPERM] = "EPERM"
    sys.builtin_module_names = tuple(name for name in sys.builtin_module_names if name != "_pyexec")
    sys.implementation._multiarch = f"{MACHINE}-linux-gnu"
    for module in (posix, os):
        module.uname, module.confstr, module.sysconf = uname, confstr, sysconf
        module.confstr_names.update({name: number for name, (number, _) in CONFIGURATION.items()})


def _adapt_clocks(time):
    """Takes Linux's numbers of clocks; those that are C's are addresses here."""
    wall, steady, used = time.time_ns, time.monotonic_ns, time.process_time_ns
    # CLOCK_REALTIME, _MONOTONIC, _PROCESS_CPUTIME_ID, _THREAD_…, _MONOTONIC_RAW, _REALTIME_COARSE, _MONOTONIC_COARSE,
    # _BOOTTIME, _TAI
    clocks = {0: wall, 1: steady, 2: used, 3: used, 4: steady, 5: wall, 6: steady, 7: steady, 11: wall}

    def clock_gettime_ns(clk_id, /):
        try:
            return clocks[clk_id]()
        except KeyError:
            raise OSError(errno.EINVAL, posix.strerror(errno.EINVAL)) from None

    def clock_gettime(clk_id, /):
        return clock_gettime_ns(clk_id) / 1e9

    def clock_getres(clk_id, /):
        clock_gettime_ns(clk_id)
        return 1e-09

    def clock_settime(clk_id, time, /):
        raise PermissionError(errno.EPERM, posix.strerror(errno.EPERM))

    def clock_settime_ns(clk_id, time, /):
        raise PermissionError(errno.EPERM, posix.strerror(errno.EPERM))

    def pthread_getcpuclockid(thread_id, /):
        return time.CLOCK_THREAD_CPUTIME_ID

    for function in (clock_gettime, clock_gettime_ns, clock_getres, clock_settime, clock_settime_ns, pthread_getcpuclockid):
        function.__module__ = "time"
        setattr(time, function.__name__, function)


def install_late():
    import ctypes.util
    import platform
    import threading
    import time
    import uuid

    _adapt_clocks(time)

    ctypes.util.find_library = find_library
    # As where there is neither `uname` nor `file` nor `ip`.
    platform._Processor.get = classmethod(lambda cls: "")
    platform._syscmd_file = lambda target, default="": default
    platform.architecture.__defaults__ = (sys.executable, "64bit", "")
    uuid._OS_GETTERS = uuid._GETTERS = []
    threading.main_thread()._set_native_id()
