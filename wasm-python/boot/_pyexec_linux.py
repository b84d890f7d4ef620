"""Makes the guest look like Python on Linux: what WASI lacks but can be answered here, and what cannot exist here at all.

The latter raises the exception that a Linux program would expect to handle, and is recorded as a capability miss, so that
the host can say (or do) something about it.
"""
import _pyexec
import _pyexec_constants
import _pyexec_identity
import _pyexec_import
import _pyexec_signals
import errno
import functools
import posix
import sys
from collections import deque, namedtuple

REPORT_MISS = 6
UID = 1000

# Misses as (exception, kind, detail): those raised last, so that whoever meets one, or what it caused, is recognised.
_raised = deque(maxlen=64)
# Modules that nobody found, and exceptions that say so.
_missing = set()
_import_errors = deque(maxlen=64)
# sys.monitoring's identifiers for tools without a name, of which debuggers and profilers have others.
_TOOLS = (4, 3)
_TOOL_NAME = "pyexec"
_tool = None
# Of code without a file that is run by other such code.
_FRAMES_MAX = 100
# Exceptions that are looked at before it is asked whether any of a miss is still there, at first and at most.
_LOOKS, _LOOKS_MAX = 64, 1 << 14
_looks = _looks_left = _LOOKS


def record(kind, detail):
    """Tells the host what the program itself has met; the host may end the job here, to run it where that is there."""
    _pyexec.report(REPORT_MISS, f"{kind}: {detail}")


def miss(kind, detail, error):
    """Notes what was asked for; the caller raises the exception returned.

    It counts when the program's own code sees the exception, or one that it caused. What a library handles inside itself
    stays there.
    """
    _raised.append((error, kind, detail))
    _watch()
    return error


def miss_module(name, is_own):
    """Notes a module that nobody found; `is_own` says that the program's own code imports it."""
    if len(_missing) < 1000:
        _missing.add(name)
    if is_own:
        record("module", name)
    else:
        _watch()


def is_own(frame):
    """Whether the program's own code runs there. Code without a file is its own if it runs in the script's names, and else
    whose who runs it."""
    for _ in range(_FRAMES_MAX):
        if frame is None or frame.f_globals.get("__name__") == "__main__":
            return True
        if not frame.f_code.co_filename.startswith("<"):
            return not frame.f_code.co_filename.startswith("/usr/")
        frame = frame.f_back
    return True


def _watch():
    """Looks at every exception that passes through the program's own code from now on."""
    global _tool
    monitoring = sys.monitoring
    if _tool is None:
        _tool = next((tool for tool in _TOOLS if monitoring.get_tool(tool) is None), None)
        if _tool is not None:
            monitoring.use_tool_id(_tool, _TOOL_NAME)
            monitoring.register_callback(_tool, monitoring.events.RAISE, _pyexec.unless_too_deep(_look))
            monitoring.set_events(_tool, monitoring.events.RAISE)


def _look(code, offset, error):
    global _looks_left
    if _missing_module(error) is not None and all(error is not known for known, in _import_errors):
        _import_errors.append((error,))
    if not code.co_filename.startswith(("/usr/", "<frozen ")) and is_own(sys._getframe(1)):
        found = _miss_behind(error)
        if found is not None:
            record(*found)
    _looks_left -= 1
    if _looks_left <= 0:
        unwatch()


def unwatch():
    """Stops looking at exceptions when none of a miss is left: what has gone cannot come, nor be the cause of another."""
    global _import_errors, _looks, _looks_left, _raised, _tool
    if _tool is None:
        return
    _raised, _import_errors = _still_there(_raised), _still_there(_import_errors)
    if not _raised and not _import_errors:
        tool, _tool = _tool, None
        if sys.monitoring.get_tool(tool) == _TOOL_NAME:
            sys.monitoring.free_tool_id(tool)
    # To look through them, or to switch, is not to cost more than it saves.
    _looks = _looks_left = min(_looks * 2, _LOOKS_MAX)


def begin_anew():
    """Has a copy begin as if it were the first to look at exceptions."""
    global _looks, _looks_left
    unwatch()
    _looks = _looks_left = _LOOKS


def _still_there(entries):
    return deque([entry for entry in entries if _holders(entry) > _HOLDERS_OF_NOTED], maxlen=entries.maxlen)


def _holders(entry):
    return sys.getrefcount(entry[0])


# Of an exception that only its entry refers to.
_HOLDERS_OF_NOTED = _holders((object(),))


def _missing_module(error):
    name = error.name if isinstance(error, ImportError) else None
    return name if isinstance(name, str) and name in _missing else None


def _miss_behind(error):
    """The miss, as kind and detail, that an exception is or was caused by."""
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        for raised, kind, detail in _raised:
            if error is raised:
                return kind, detail
        module = _missing_module(error)
        if module is not None:
            return "module", module
        error = error.__cause__ or error.__context__
    return None


def caused_by_miss(error):
    """Whether an uncaught exception is, or was caused by, a miss."""
    if _miss_behind(error) is not None:
        return True
    seen = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        if isinstance(error, (ImportError, AttributeError)) and _lacks_native_parts(error):
            return True
        error = error.__cause__ or error.__context__
    return False


# Written by the host: names of the modules that were taken from packages, which can do without in most of what they do.
NATIVE_PARTS = "/usr/lib/python3.14/site-packages/.native-parts"


def _lacks_native_parts(error):
    module = error.name if isinstance(error, ImportError) else getattr(error.obj, "__name__", None)
    if not isinstance(module, str):
        return False
    try:
        fd = posix.open(NATIVE_PARTS, posix.O_RDONLY)
    except OSError:
        return False
    try:
        taken = posix.read(fd, 1 << 20).decode().split()
    finally:
        posix.close(fd)
    missing = next((name for name in taken if name.partition(".")[0] == module.partition(".")[0]), None)
    if missing is not None:
        record("native module", missing)
    return missing is not None


def _refusing(kind, name, number):
    """A function that fails with this errno."""
    def refuse(*args, **kwargs):
        path = next((arg for arg in args[:1] if isinstance(arg, (str, bytes))), None)
        # In no variable: it would be there as long as its own traceback.
        raise miss(kind, f"os.{name}()", OSError(number, posix.strerror(number), *(() if path is None else (path,))))

    refuse.__name__ = refuse.__qualname__ = name
    return refuse


_mask = 0o022


def umask(mask):
    global _mask
    before, _mask = _mask, mask & 0o777
    _pyexec.umask(_mask, -1)
    return before


def _with_mode(mode, make, *args, **kwargs):
    """Calls what makes a file or folder, which gets this mode: WASI's calls have none."""
    _pyexec.umask(_mask, mode)
    try:
        return make(*args, **kwargs)
    finally:
        _pyexec.umask(_mask, -1)


_access, _open, _mkdir, _chdir = posix.access, posix.open, posix.mkdir, posix.chdir

# What programs see are Linux's flags; C has its own. The latter always say how a file is accessed, with these bits.
_C_ACCESS = posix.O_RDONLY | posix.O_WRONLY
_C_ACCESSES = (posix.O_RDONLY, posix.O_WRONLY, posix.O_RDWR, posix.O_RDWR)
_C_FLAGS = {name: getattr(posix, name) for name in ("O_CREAT", "O_EXCL", "O_TRUNC", "O_APPEND", "O_NONBLOCK", "O_DSYNC",
                                                    "O_RSYNC", "O_SYNC", "O_DIRECTORY", "O_NOFOLLOW")}
_ALL_C_FLAGS = _C_ACCESS | sum(_C_FLAGS.values())


def _c_flags(flags):
    """Those of C for flags that are Linux's, or, in an opener that `open()` calls, C's with some of Linux's added."""
    ours = flags & _C_ACCESS
    found = flags & _ALL_C_FLAGS if ours else _C_ACCESSES[flags & 3]
    for name, bits in _C_FLAGS.items():
        linux = getattr(posix, name)
        if flags & linux == linux and not (ours and linux & _ALL_C_FLAGS):
            found |= bits
    return found


def open(path, flags, mode=0o777, *, dir_fd=None):
    flags = _c_flags(flags)
    if not flags & _C_FLAGS["O_CREAT"] or mode & 0o7777 == 0o666:
        return _open(path, flags, mode, dir_fd=dir_fd)
    return _with_mode(mode & 0o7777, _open, path, flags, mode, dir_fd=dir_fd)


def mkdir(path, mode=0o777, *, dir_fd=None):
    if mode & 0o1777 == 0o777:
        return _mkdir(path, mode, dir_fd=dir_fd)
    return _with_mode(mode & 0o1777, _mkdir, path, mode, dir_fd=dir_fd)


def chdir(path):
    """wasi-libc remembers the folder as text, and would keep `..` and links in it."""
    if isinstance(path, int):
        if posix.fstat(path).st_mode & 0o170000 != 0o040000:
            raise OSError(errno.ENOTDIR, posix.strerror(errno.ENOTDIR))
        path = posix.readlink(f"/proc/self/fd/{path:d}")
        if not path.startswith("/"):
            raise OSError(errno.ENOTDIR, posix.strerror(errno.ENOTDIR))
    _chdir(path)
    fd = posix.open(".", posix.O_RDONLY)
    try:
        real = posix.readlink(f"/proc/self/fd/{fd:d}")
    finally:
        posix.close(fd)
    if real != posix.getcwd():
        _chdir(real)


def fchdir(fd):
    chdir(_fileno(fd))


def _fileno(file):
    """The descriptor that is given as such or as a file."""
    if not isinstance(file, int):
        if not hasattr(file, "fileno"):
            raise TypeError("argument must be an int, or have a fileno() method.")
        file = file.fileno()
    elif isinstance(file, bool):
        import warnings
        warnings.warn("bool is used as a file descriptor", RuntimeWarning, stacklevel=3)
    if file < 0:
        raise ValueError(f"file descriptor cannot be a negative integer ({file})")
    return file


def _below(folder, path):
    """A path that starts at a folder's descriptor, as one that starts at the root."""
    path = posix.fspath(path)
    if folder is None or path[:1] in ("/", b"/"):
        return path
    posix.fstat(folder)
    start = f"/proc/self/fd/{folder:d}/"
    return (start if isinstance(path, str) else start.encode()) + path


def link(src, dst, *, src_dir_fd=None, dst_dir_fd=None, follow_symlinks=True):
    folders = [-1 if fd is None else fd for fd in (src_dir_fd, dst_dir_fd)]
    sys.audit("os.link", src, dst, *folders)
    error = _pyexec.link(src, dst, *folders, bool(follow_symlinks))
    if error:
        raise OSError(error, posix.strerror(error), src, None, dst)


def statvfs(path):
    if path == "/dev/shm":
        # There is none. One that is full has multiprocessing map a file elsewhere.
        return posix.statvfs_result((4096, 4096, 0, 0, 0, 0, 0, 0, 0, 255))
    if not isinstance(path, int):
        posix.stat(path)
    size, free, files, files_free = _pyexec.disk()
    return posix.statvfs_result((4096, 4096, size // 4096, free // 4096, free // 4096, files, files_free, files_free, 0, 255))


def chmod(path, mode, *, dir_fd=None, follow_symlinks=True):
    if isinstance(path, int):
        return fchmod(path, mode)
    place = _below(dir_fd, path)
    if not follow_symlinks and posix.lstat(place).st_mode & 0o170000 == 0o120000:
        # Links have no permissions of their own, as on Linux.
        raise NotImplementedError("chmod: follow_symlinks unavailable on this platform")
    error = _pyexec.chmod(place, mode & 0o7777)
    if error:
        raise OSError(error, posix.strerror(error), path)


def fchmod(fd, mode):
    error = _pyexec.fchmod(fd, mode & 0o7777)
    if error:
        raise OSError(error, posix.strerror(error))


def access(path, mode, *, dir_fd=None, effective_ids=False, follow_symlinks=True):
    """C's says yes to all that is there, which is right but for what nobody may execute."""
    if not _access(path, mode, dir_fd=dir_fd):
        return False
    return not mode & posix.X_OK or bool(posix.stat(path, dir_fd=dir_fd).st_mode & 0o111)


def chown(path, uid, gid, *, dir_fd=None, follow_symlinks=True):
    posix.stat(path)
    if uid not in (-1, UID) or gid not in (-1, UID):
        raise PermissionError(errno.EPERM, posix.strerror(errno.EPERM), path)


def dup(fd, /):
    return _dup(fd, -1)


def dup2(fd, fd2, inheritable=True):
    if fd2 < 0:
        raise OSError(errno.EBADF, posix.strerror(errno.EBADF))
    return _dup(fd, fd2)


def pipe():
    ends = _pyexec.pipe()
    if isinstance(ends, int):
        raise OSError(-ends, posix.strerror(-ends))
    return ends


def pipe2(flags, /):
    ends = pipe()
    if flags & posix.O_NONBLOCK:
        for fd in ends:
            posix.set_blocking(fd, False)
    return ends


def lockf(fd, command, length, /):
    """Nobody else has these files."""
    posix.fstat(fd)
    if command not in range(4):
        raise OSError(errno.EINVAL, posix.strerror(errno.EINVAL))


def posix_fallocate(fd, offset, length, /):
    size = posix.fstat(fd).st_size
    if offset < 0 or length <= 0:
        raise OSError(errno.EINVAL, posix.strerror(errno.EINVAL))
    # Fails unless the file is open to write.
    posix.write(fd, b"")
    posix.ftruncate(fd, max(size, offset + length))


def posix_fadvise(fd, offset, length, advice, /):
    posix.fstat(fd)
    if advice not in range(6):
        raise OSError(errno.EINVAL, posix.strerror(errno.EINVAL))


def sendfile(out_fd, in_fd, offset, count):
    # A part, as on Linux, where callers ask again for the rest.
    count = min(count, 1 << 20)
    part = posix.read(in_fd, count) if offset is None else posix.pread(in_fd, count, offset)
    return posix.write(out_fd, part)


def copy_file_range(src, dst, count, offset_src=None, offset_dst=None):
    if count < 0:
        raise ValueError("negative value for 'count' not allowed")
    count = min(count, 1 << 20)
    part = posix.read(src, count) if offset_src is None else posix.pread(src, count, offset_src)
    return posix.write(dst, part) if offset_dst is None else posix.pwrite(dst, part, offset_dst)


def listxattr(path=None, *, follow_symlinks=True):
    """No file has extended attributes until a program sets some, which takes a container."""
    posix.stat("." if path is None else path)
    return []


def getxattr(path, attribute, *, follow_symlinks=True):
    posix.stat(path)
    raise OSError(errno.ENODATA, posix.strerror(errno.ENODATA), path)


def _dup(fd, to):
    new = _pyexec.dup(fd, to)
    if new < 0:
        raise OSError(-new, posix.strerror(-new))
    return new


def getrandom(size, flags=0):
    return posix.urandom(size)


def get_terminal_size(fd=1):
    posix.fstat(fd)
    raise OSError(errno.ENOTTY, posix.strerror(errno.ENOTTY))


def _check_process(pid):
    if pid not in (0, posix.getpid()):
        raise ProcessLookupError(errno.ESRCH, posix.strerror(errno.ESRCH))


def getpriority(which, who):
    _check_process(who)
    return 0


def setpriority(which, who, priority):
    _check_process(who)


def sched_setaffinity(pid, mask, /):
    _check_process(pid)
    if 0 not in set(mask):
        raise OSError(errno.EINVAL, posix.strerror(errno.EINVAL))


def _answers():
    return {
        "umask": umask, "chmod": chmod, "fchmod": fchmod, "chown": chown, "lchown": chown,
        "fchown": lambda fd, uid, gid: chown(fd, uid, gid), "access": access, "copy_file_range": copy_file_range,
        "kill": _pyexec.kill, "killpg": _pyexec_signals.killpg, "abort": _pyexec.abort,
        "dup": dup, "dup2": dup2, "open": open, "mkdir": mkdir, "chdir": chdir,
        "fchdir": fchdir, "link": link, "statvfs": statvfs, "fstatvfs": statvfs,
        "pipe": pipe, "pipe2": pipe2, "lockf": lockf, "posix_fallocate": posix_fallocate, "posix_fadvise": posix_fadvise,
        "sendfile": sendfile, "getrandom": getrandom, "get_terminal_size": get_terminal_size,
        "getuid": lambda: UID, "geteuid": lambda: UID, "getgid": lambda: UID, "getegid": lambda: UID,
        "getgroups": lambda: [UID], "getresuid": lambda: (UID,) * 3, "getresgid": lambda: (UID,) * 3,
        "getppid": lambda: 1, "getpgid": lambda pid: 1, "getpgrp": lambda: 1, "getsid": lambda pid: 1,
        "sched_getaffinity": lambda pid: {0}, "cpu_count": lambda: 1, "getloadavg": lambda: (0.0, 0.0, 0.0),
        "sync": lambda: None, "nice": lambda increment: 0, "ctermid": lambda: "/dev/tty",
        "getpriority": getpriority, "setpriority": setpriority,
        "setpgid": lambda pid, pgrp, /: None, "setpgrp": lambda: None, "getgrouplist": lambda user, group, /: [group],
        "sched_getscheduler": lambda pid, /: 0, "sched_getparam": lambda pid, /: posix.sched_param(0),
        "sched_get_priority_max": lambda policy: 99 if policy in (1, 2) else 0,
        "sched_get_priority_min": lambda policy: 1 if policy in (1, 2) else 0,
        "sched_rr_get_interval": lambda pid, /: 0.0, "sched_setaffinity": sched_setaffinity,
    }


_REFUSED = {
    "execv": ("process", errno.EPERM), "execve": ("process", errno.EPERM),
    "posix_spawn": ("process", errno.EPERM), "posix_spawnp": ("process", errno.EPERM),
    "wait": ("process", errno.ECHILD), "waitpid": ("process", errno.ECHILD), "wait3": ("process", errno.ECHILD),
    "wait4": ("process", errno.ECHILD), "waitid": ("process", errno.ECHILD), "openpty": ("process", errno.ENOENT),
    "mkfifo": ("process", errno.EPERM), "mknod": ("process", errno.EPERM), "setsid": ("process", errno.EPERM),
    "setuid": ("privilege", errno.EPERM), "setgid": ("privilege", errno.EPERM), "seteuid": ("privilege", errno.EPERM),
    "setegid": ("privilege", errno.EPERM), "setgroups": ("privilege", errno.EPERM), "chroot": ("privilege", errno.EPERM),
    "getlogin": ("process", errno.ENXIO), "memfd_create": ("process", errno.ENOSYS),
    "eventfd": ("process", errno.ENOSYS), "timerfd_create": ("process", errno.ENOSYS),
    "posix_openpt": ("terminal", errno.ENOENT), "tcsetpgrp": ("terminal", errno.ENOTTY),
    "unshare": ("privilege", errno.EPERM), "setns": ("privilege", errno.EPERM), "initgroups": ("privilege", errno.EPERM),
    "setreuid": ("privilege", errno.EPERM), "setregid": ("privilege", errno.EPERM),
    "setresuid": ("privilege", errno.EPERM), "setresgid": ("privilege", errno.EPERM),
    "sched_setscheduler": ("privilege", errno.EPERM), "sched_setparam": ("privilege", errno.EPERM), "pidfd_open": ("process", errno.EPERM),
    "tcgetpgrp": ("terminal", errno.ENOTTY), "ttyname": ("terminal", errno.ENOTTY),
}


# The library takes other ways where there is one of these: they are put there after it has been imported.
_LATE = {
    "fork": ("process", errno.EAGAIN), "forkpty": ("process", errno.EAGAIN),
    "eventfd_read": ("process", errno.ENOSYS), "eventfd_write": ("process", errno.ENOSYS),
    "setxattr": ("process", errno.EPERM), "removexattr": ("process", errno.EPERM),
    "splice": ("process", errno.ENOSYS), "timerfd_gettime": ("process", errno.ENOSYS),
    "timerfd_gettime_ns": ("process", errno.ENOSYS), "timerfd_settime": ("process", errno.ENOSYS),
    "timerfd_settime_ns": ("process", errno.ENOSYS), "grantpt": ("terminal", errno.ENOTTY),
    "unlockpt": ("terminal", errno.ENOTTY), "ptsname": ("terminal", errno.ENOTTY),
    "login_tty": ("terminal", errno.ENOTTY),
}


def system(command):
    raise miss("process", f"os.system({command!r})", PermissionError(errno.EPERM, posix.strerror(errno.EPERM), command))


def install_early():
    """Before anything of the library looks at the platform."""
    import os

    sys.platform = "linux"
    functions = _answers()
    functions.update((name, _refusing(kind, name, number)) for name, (kind, number) in _REFUSED.items())
    functions["system"] = system
    for name, function in functions.items():
        for module in (posix, os):
            setattr(module, name, function)
        if function not in (_pyexec.abort, _pyexec.kill):
            function.__name__ = name
    for kind, fields in {"uname_result": "sysname nodename release version machine",
                         "sched_param": "sched_priority",
                         "waitid_result": "si_pid si_uid si_signo si_status si_code",
                         "statvfs_result": "f_bsize f_frsize f_blocks f_bfree f_bavail f_files f_ffree f_favail f_flag "
                                           "f_namemax"}.items():
        made = namedtuple(kind, fields)
        # Like the originals, they take one sequence.
        made.__new__ = lambda cls, values, extra=None: tuple.__new__(cls, values)
        made.__reduce__ = lambda self: (type(self), (tuple(self), {}))
        made.__module__ = "os"
        setattr(posix, kind, made)
        setattr(os, kind, made)
    posix.sched_param.__new__ = lambda cls, sched_priority: tuple.__new__(cls, (sched_priority,))
    # `os` has copied what there was.
    _pyexec_constants.install("posix", "time", "select")
    os.__dict__.update((name, value) for name, value in vars(posix).items() if name.isupper() and name[0] != "_")
    _pyexec_identity.install_early(os)
    _pyexec_signals.install()
    os.EX_OK = posix.EX_OK = 0
    for name, value in {"WNOHANG": 1, "WUNTRACED": 2, "P_NOWAIT": 1, "P_NOWAITO": 1, "P_WAIT": 0, "PRIO_PROCESS": 0,
                        "SCHED_OTHER": 0, "RTLD_LAZY": 1, "RTLD_NOW": 2, "RTLD_GLOBAL": 256, "RTLD_LOCAL": 0,
                        "F_ULOCK": 0, "F_LOCK": 1, "F_TLOCK": 2, "F_TEST": 3, "POSIX_FADV_NORMAL": 0,
                        "POSIX_FADV_RANDOM": 1, "POSIX_FADV_SEQUENTIAL": 2, "POSIX_FADV_WILLNEED": 3,
                        "POSIX_FADV_DONTNEED": 4, "POSIX_FADV_NOREUSE": 5}.items():
        for module in (posix, os):
            if not hasattr(module, name):
                setattr(module, name, value)
    os.supports_follow_symlinks.update({os.chmod, os.link})
    os.supports_dir_fd.update({os.chmod, os.link, os.mkdir, os.open})
    for name, test in {"WIFEXITED": lambda s: s & 0x7F == 0, "WEXITSTATUS": lambda s: s >> 8 & 0xFF,
                       "WIFSIGNALED": lambda s: s & 0x7F not in (0, 0x7F), "WTERMSIG": lambda s: s & 0x7F,
                       "WIFSTOPPED": lambda s: s & 0xFF == 0x7F, "WSTOPSIG": lambda s: s >> 8 & 0xFF,
                       "WCOREDUMP": lambda s: s & 0x80 != 0, "WIFCONTINUED": lambda s: s == 0xFFFF,
                       "waitstatus_to_exitcode": lambda s: s >> 8 & 0xFF if s & 0x7F == 0 else -(s & 0x7F)}.items():
        test.__name__ = name
        for module in (posix, os):
            if not hasattr(module, name):
                setattr(module, name, test)


def install_late():
    """After the modules that are adapted have been imported."""
    import asyncio
    import ctypes
    import hashlib
    import os
    import subprocess
    import threading
    import time
    import warnings
    import _thread

    _adapt_threads(threading, _thread)
    _adapt_subprocess(subprocess)
    _adapt_asyncio(asyncio)
    _adapt_hashlib(hashlib)
    _adapt_ctypes(ctypes)
    _adapt_processes(os)
    _pyexec_constants.install("fcntl", "resource", "termios")
    _pyexec_signals.install_faulthandler()
    _pyexec_identity.install_late()
    _adapt_warnings(warnings)
    late = {name: _refusing(kind, name, number) for name, (kind, number) in _LATE.items()}
    for name, function in (late | {"listxattr": listxattr, "getxattr": getxattr}).items():
        posix.__dict__[name] = os.__dict__[name] = function
    for name in ("O_EXEC", "O_SEARCH", "O_TTY_INIT"):
        for module in (posix, os):
            delattr(module, name)
    for name in _pyexec_import.ABSENT.keys() & sys.modules.keys():
        _pyexec_import.complete(sys.modules[name])
    _thread.set_name = lambda name: None
    posix.register_at_fork = os.register_at_fork = lambda **hooks: None
    if not hasattr(time, "thread_time"):
        time.thread_time, time.thread_time_ns = time.process_time, time.process_time_ns


def _adapt_threads(threading, _thread):
    def start(*args, **kwargs):
        raise miss("thread", "start of a thread", RuntimeError("can't start new thread"))

    for name in ("start_new_thread", "start_new", "start_joinable_thread"):
        if hasattr(_thread, name):
            setattr(_thread, name, start)
    threading._start_joinable_thread = start
    threading._start_new_thread = start


def _adapt_processes(os):
    """Functions that the library makes only where there is a fork."""
    for name in ("spawnl", "spawnle", "spawnlp", "spawnlpe", "spawnv", "spawnve", "spawnvp", "spawnvpe"):
        def spawn(mode, file, *args, _name=name):
            raise miss("process", f"os.{_name}()", PermissionError(errno.EPERM, posix.strerror(errno.EPERM), file))

        spawn.__name__ = spawn.__qualname__ = name
        setattr(os, name, spawn)


def _adapt_subprocess(subprocess):
    def execute_child(self, args, executable, *rest, **options):
        import os

        name = args if isinstance(args, (str, bytes, os.PathLike)) else list(args)[0]
        name = os.fspath(executable or name)
        self.returncode = 127
        raise miss("process", f"subprocess {name!r}", PermissionError(errno.EPERM, posix.strerror(errno.EPERM), name))

    subprocess.Popen._execute_child = execute_child

    def get_handles(self, stdin, stdout, stderr):
        # Without pipes: the child that would use them is refused next.
        return -1, -1, -1, -1, -1, -1

    subprocess.Popen._get_handles = get_handles


def _adapt_asyncio(asyncio):
    """An event loop that waits for time only: there is nothing else here to wait for."""
    import selectors
    import time
    import types
    from asyncio import selector_events, unix_events

    class ClockSelector(selectors.SelectSelector):
        def select(self, timeout=None):
            if self.get_map():
                return super().select(timeout)
            if timeout is None:
                raise RuntimeError("deadlock: every task waits for another, and nothing can wake them")
            if timeout > 0:
                time.sleep(timeout)
            return []

    def init(self, selector=None):
        original(self, ClockSelector() if selector is None else selector)

    base = selector_events.BaseSelectorEventLoop
    original = base.__init__
    base.__init__ = init
    # The pipe through which threads and signals wake the loop: there are neither.
    base._make_self_pipe = lambda self: setattr(self, "_internal_fds", 0)
    base._close_self_pipe = lambda self: None
    base._write_to_self = lambda self: None

    async def shutdown_default_executor(self, timeout=None):
        # The original starts a thread to wait for the executor's, of which there are none.
        self._executor_shutdown_called = True
        if self._default_executor is not None:
            self._default_executor.shutdown(wait=False)

    base.shutdown_default_executor = shutdown_default_executor

    unix_events.can_use_pidfd = lambda: False
    loop_of = {}
    add_signal_handler = unix_events._UnixSelectorEventLoop.add_signal_handler

    def add(self, sig, callback, *args):
        # There is no pipe to wake the loop by: the handler calls it.
        self._csock = types.SimpleNamespace(fileno=lambda: -1)
        add_signal_handler(self, sig, callback, *args)
        loop_of[int(sig)] = self

    add.__name__, add.__qualname__ = add_signal_handler.__name__, add_signal_handler.__qualname__
    unix_events._UnixSelectorEventLoop.add_signal_handler = add
    unix_events._sighandler_noop = lambda number, frame: loop_of[number]._handle_signal(number)


def _adapt_hashlib(hashlib):
    """Adds the hash functions that OpenSSL has, and its names for all of them."""
    constructors = {name: getattr(hashlib, name) for name in hashlib.algorithms_guaranteed}
    unsupported = hashlib.new

    def new(name, *args, **kwargs):
        """new(name, data=b'') - Return a new hashing object using the named algorithm;
        optionally initialized with data (which must be a bytes-like object).
        """
        known = _pyexec.hash_name(name)
        if known is None:
            return unsupported(name, *args, **kwargs)
        constructor = constructors.get(known)
        return _pyexec.hash_new(known, *args, **kwargs) if constructor is None else constructor(*args, **kwargs)

    new.__module__ = "hashlib"
    hashlib.new = new
    hashlib.algorithms_available |= {"md5-sha1", "ripemd160", "sha512_224", "sha512_256", "sm3"}
    hashlib.pbkdf2_hmac, hashlib.scrypt = _pyexec.pbkdf2_hmac, _pyexec.scrypt
    if "pbkdf2_hmac" not in hashlib.__all__:
        hashlib.__all__ += ("pbkdf2_hmac",)


def _adapt_warnings(warnings):
    """A library that handles a miss inside itself may warn of it, which it would not do where nothing is missing."""
    show = warnings._showwarnmsg

    def show_unless_miss(message):
        if not _raised or _miss_behind(sys.exception()) is None:
            show(message)

    warnings._showwarnmsg = show_unless_miss


def _adapt_ctypes(ctypes):
    # Here there is something at all addresses.
    def checked(function, count):
        @functools.wraps(function)
        def call(*args, **kwargs):
            for pointer in args[:count]:
                if isinstance(pointer, int) and 0 <= pointer < 1024:
                    _pyexec.kill(posix.getpid(), 11)
            return function(*args, **kwargs)

        return call

    for name, count in {"string_at": 1, "wstring_at": 1, "memmove": 2, "memset": 1}.items():
        setattr(ctypes, name, checked(getattr(ctypes, name), count))

    load = ctypes._dlopen

    def dlopen(name, mode=0):
        if name is None:
            return load(name, mode)
        try:
            return load(name, mode)
        except OSError as error:
            raise miss("library", f"ctypes: {name}", error) from None

    ctypes._dlopen = dlopen
    find_symbol = ctypes.CDLL.__getitem__

    def getitem(self, name_or_ordinal):
        try:
            return find_symbol(self, name_or_ordinal)
        except AttributeError as error:
            raise miss("library", f"ctypes: {name_or_ordinal}()", error) from None

    ctypes.CDLL.__getitem__ = getitem
