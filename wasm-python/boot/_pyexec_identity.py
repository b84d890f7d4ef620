"""What the machine, the user and the interpreter say of themselves: the same as in a container.

Functions of the library that would ask another program are answered here: it would be recorded that a process was
started, although what comes of it is known.
"""
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

_confstr = posix.confstr


def confstr(name, /):
    for known, (number, value) in CONFIGURATION.items():
        if name in (known, number):
            return value
    return _confstr(name)


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
        module.uname, module.confstr = uname, confstr
        module.confstr_names.update({name: number for name, (number, _) in CONFIGURATION.items()})


def install_late():
    import ctypes.util
    import platform
    import threading
    import uuid

    ctypes.util.find_library = find_library
    # As where there is neither `uname` nor `file` nor `ip`.
    platform._Processor.get = classmethod(lambda cls: "")
    platform._syscmd_file = lambda target, default="": default
    platform.architecture.__defaults__ = (sys.executable, "64bit", "")
    uuid._OS_GETTERS = uuid._GETTERS = []
    threading.main_thread()._set_native_id()
