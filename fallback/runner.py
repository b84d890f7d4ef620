"""Runs one job in a container: takes it as frames on stdin, tells what happens as frames on stdout.

Its arguments are the source of `figures.py` and the modules to import before the job comes.

A frame is one byte of kind, four of length (little endian), and the content; `src/executor/docker/frames.rs` has the
other side. The job runs in a fork of this process, as the same user: it can forge what is told here. So the host bounds
all of it, and decides by itself about time, memory and the container's end.

Needs Python 3.10 and nothing but its standard library.
"""
import sys

FRESH = frozenset(sys.modules)  # what `python main.py` has imported, too

import _frozen_importlib
import _frozen_importlib_external
import atexit
import builtins
import collections
import enum
import errno
import faulthandler
import fcntl
import functools
import gc
import json
import operator
import os
import re
import resource
import select
import signal
import stat
import time

FIGURES_SOURCE, *PRELOAD = sys.argv[1:]
FIGURES_MODULE = "_pyexec_figures"
WORK = "/work"
ENVIRONMENT = "/environment"
# What commands left that prepared the image; see `commands.py`.
KEPT = "/.pyexec"
TEMPORARY = b"/tmp"
ALIAS = "/mnt/data"
PIP_CONFIGURATION = os.path.expanduser("~/.config/pip/pip.conf")
PIP_LOG = os.path.expanduser("~/.cache/pip.log")
PIP_LOG_BYTES_MAX = 1 << 20
NAME_OF_PIP = re.compile(rb"\bpip3?\b")
NOT_FOUND_BY_PIP = re.compile(rb"No matching distribution found for ([\w.-]{1,100})")
CHUNK_BYTES = 64 * 1024
REPORT_BYTES_MAX = 16 << 20
MISSING_MAX = 100
PLACE_BYTES_MAX = 64 * 1024
# For an interpreter out of memory to say so.
SPARE_BYTES = 16 << 20
# Asks the job where it is. Programs use the lower ones.
WHERE_SIGNAL = signal.SIGRTMAX - 3
WHERE_SECONDS = 0.12
DRAIN_SECONDS = 0.2
# A job that is not there by then has not started this container.
IDLE_SECONDS = 0.05
# For `compile`: a tree, and code that may await at its top.
AST, AWAITING = 0x400, 0x2000
# A line of a notebook that installs packages, which the host has read.
INSTALLING = re.compile(
    rb"([ \t\f]*)[!%][ \t]*(?:(?:python[0-9.]*|\{sys\.executable\})[ \t]+-m[ \t]+pip|uv[ \t]+pip|pip[0-9.]*)[ \t]+install\b"
    rb"(?:[^\\\r\n]|\\\r?\n|\\)*"
)
# As many as the host takes.
FRAMES_MAX = 50
# What a cell of a notebook may have besides: what changes nothing here, and what is no Python; `_pyexec_cell.py` has the same.
HARMLESS_MAGIC = re.compile(rb"[ \t\f]*%[ \t]*(?:matplotlib|autoreload|load_ext|config)\b")
MAGIC = re.compile(
    rb"[ \t\f]*(?:[\w., \t]+=[ \t]*)?(?:(!+)[ \t]*(.*?)|(%%?[A-Za-z]\w*)(?:[ \t].*)?)[ \t]*\r?\n?$"
    rb"|[ \t\f]*(?:\?\??([\w.]+)|([\w.]+)\?\??)[ \t]*;?[ \t]*\r?\n?$"
)
# Since 3.11.
GROUPS = getattr(builtins, "BaseExceptionGroup", ())
FIGURES_MAX = 32
FIGURE_BYTES_MAX = 15 << 20
# OpenBLAS and OpenMP start a thread for each CPU; their memory is the job's.
THREADS_MAX = 8

# What modules read when they are imported. A job that sets one of these, or has such a file, gets a process that has not
# imported any yet.
READ_AT_IMPORT = re.compile(
    "PYTHON|LC_|LANG|TZ|LD_|MALLOC_|TMPDIR|HOME|XDG_|OMP_|GOMP_|KMP_|MKL_|OPENBLAS_|GOTO_|BLIS_|NPY_|NUMPY_|NUMEXPR_|NUMBA_"
    "|PANDAS_|PYARROW_|ARROW_|SCIPY_|SKLEARN_|JOBLIB_|MPL|MATPLOTLIB"
)
FILES_READ_AT_IMPORT = frozenset({"matplotlibrc"})

# From the host.
JOB, FOLDER, FILE, CONTENT, LINK, RUN, INPUT, INPUT_END, WHERE = b"J", b"D", b"F", b"C", b"L", b"R", b"I", b"E", b"W"
# To the host; FILE and CONTENT too.
READY, REFUSED, STARTED, STDOUT, STDERR, TAKEN = b"Y", b"N", b"S", b"O", b"X", b"K"
REPORT, FIGURE, PLACE, END = b"V", b"G", b"P", b"Z"


def main():
    set_dumpable(0)
    os.chdir(WORK)
    sys.path[:] = [entry for entry in sys.path if entry]
    forget_source()
    use_packages()
    know_the_user()
    make_alias()
    if os.path.isdir(f"{ENVIRONMENT}/bin"):
        os.environ["PATH"] = f"{ENVIRONMENT}/bin:{os.environ.get('PATH', os.defpath)}"
    if len(os.sched_getaffinity(0)) > THREADS_MAX:
        os.environ.setdefault("OMP_NUM_THREADS", str(THREADS_MAX))
    signal.signal(signal.SIGCHLD, lambda *_: None)
    wake, waker = os.pipe()
    os.set_blocking(waker, False)
    signal.set_wakeup_fd(waker)
    pipes = Pipes()
    process = Process(pipes, PRELOAD)
    send(1, READY, json.dumps({"resident_bytes": resident(os.getpid()) + resident(process.pid)}).encode())
    frames = Frames()
    try:
        job, speaks_of_pip = receive(frames)
        told = {**json.loads(job), "speaks_of_pip": speaks_of_pip}
        put_in_place(told)
        if speaks_of_pip and not told["network"]:
            configure_pip()
    except OSError as error:
        send(1, REFUSED, json.dumps({"errno": error.errno, "message": str(error)}).encode())
        return
    job, submitted = json.dumps(told).encode(), {path: signature(status) for path, status in regular_files()}
    if not process.suits(told, submitted):
        process.end()
        process = Process(pipes, [])
    process.take(job)
    pipes.keep_ours()
    send(1, STARTED)
    Watch(frames, pipes, wake, process, told, submitted).until_the_end()
    # Whatever the job left behind holds nothing of this process that must be put in order.
    os._exit(0)


def forget_source():
    """Python keeps the text after `-c` as that of any code called `<string>`, such as a job's."""
    linecache = sys.modules.get("linecache")
    for cache in ("cache", "_interactive_cache"):
        getattr(linecache, cache, {}).clear()


def use_packages():
    """An image that was not made by us has no file that puts its packages on the path."""
    if os.path.isdir(ENVIRONMENT) and ENVIRONMENT not in sys.path:
        import site

        site.addsitedir(ENVIRONMENT)


def use_user_site():
    """Where pip installs when a job calls it: on the path only if it is there when Python starts."""
    import site

    folder = site.getusersitepackages()
    if site.ENABLE_USER_SITE and folder not in sys.path:
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError:
            return  # no room for it
        first = min((sys.path.index(other) for other in (ENVIRONMENT, *site.getsitepackages()) if other in sys.path), default=0)
        sys.path.insert(first, folder)


def know_the_user():
    """No image has a name for the user of this container: here it has one, for `getpass` and its like."""
    try:
        import pwd
    except ImportError:
        return
    found, own = pwd.getpwuid, os.getuid()

    def getpwuid(uid, /):
        if uid != own:
            return found(uid)
        return pwd.struct_passwd(("user", "x", own, os.getgid(), "", os.environ.get("HOME", "/tmp"), "/bin/sh"))

    pwd.getpwuid = getpwuid


def make_alias():
    """The project's folder has the name of another service, too, by which models look for files."""
    try:
        os.symlink(WORK, ALIAS)
    except OSError:
        pass  # an image that has something there


def configure_pip():
    """Without a network pip looks for nothing there, and writes down that it found nothing."""
    try:
        os.makedirs(os.path.dirname(PIP_CONFIGURATION), exist_ok=True)
        with open(PIP_CONFIGURATION, "x") as file:
            file.write(f"[global]\nno-index = true\nlog = {PIP_LOG}\n")
    except OSError:
        pass  # no room for it, or the commands of the job have made one


def missed_by_pip():
    """What a job wanted to have installed, as pip tells it."""
    try:
        with open(PIP_LOG, "rb") as file:
            return {found[1].decode(errors="replace") for found in NOT_FOUND_BY_PIP.finditer(file.read(PIP_LOG_BYTES_MAX))}
    except OSError:
        return set()


def set_dumpable(flag):
    """Whether other processes of this user may look into this one."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(4, flag, 0, 0, 0)  # PR_SET_DUMPABLE
    except (ImportError, OSError, AttributeError):
        pass  # one wall less around frames that the host does not believe anyway


# ---- frames ----


class Frames:
    """Cuts a stream of bytes into frames."""

    def __init__(self):
        self.rest = bytearray()

    def cut(self, data):
        self.rest += data
        at = 0
        while len(self.rest) - at >= 5:
            end = at + 5 + int.from_bytes(self.rest[at + 1 : at + 5], "little")
            if end > len(self.rest):
                break
            frame = bytes(self.rest[at : at + 1]), bytes(self.rest[at + 5 : end])
            at = end
            yield frame
        del self.rest[:at]


def send(fd, kind, content=b""):
    data = memoryview(kind + len(content).to_bytes(4, "little") + content)
    while data:
        data = data[os.write(fd, data) :]


def receive(frames):
    """Unpacks the project; returns the job, and whether pip is named in the project."""
    job, file, speaks_of_pip = None, -1, False
    while True:
        data = os.read(0, CHUNK_BYTES)
        if not data:
            os._exit(1)  # the host is gone
        for kind, content in frames.cut(data):
            if kind == CONTENT:
                # What others do not ask for they do not find in their home folder.
                speaks_of_pip = speaks_of_pip or NAME_OF_PIP.search(content) is not None
                while content:
                    content = content[os.write(file, content) :]
                continue
            if file >= 0:
                os.close(file)
                file = -1
            if kind == JOB:
                job = content
            elif kind == FOLDER:
                os.mkdir(inside(content))
            elif kind == FILE:
                file = os.open(inside(content), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            elif kind == LINK:
                path, _, target = content.partition(b"\0")
                os.symlink(target, inside(path))
            elif kind == RUN:
                # The last of its frames until it is told that the job has started.
                return job, speaks_of_pip


def put_in_place(job):
    """Adds to the project and to the job what the commands have left that prepared the image."""
    job["unset"], job["cwd"] = [], WORK
    try:
        with open(f"{KEPT}/left.json", encoding="utf-8", errors="surrogateescape") as file:
            left = json.load(file)
    except FileNotFoundError:
        return
    for path in left["deleted"]:
        try:
            os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        except FileNotFoundError:
            pass
    for folder in (WORK, "/tmp"):
        if os.path.isdir(KEPT + folder):
            copy(KEPT + folder, folder)
    job["env"] += left["env"].items()
    job["unset"], job["cwd"] = left["unset"], left["cwd"]


def copy(folder, target):
    """Copies what is in a folder into another, over what is there."""
    pending = [("", entry) for entry in os.scandir(folder)]
    while pending:
        below, entry = pending.pop()
        path = f"{below}/{entry.name}"
        to = target + path
        if os.path.isdir(to) and not os.path.islink(to):
            if not entry.is_dir(follow_symlinks=False):
                os.rmdir(to)
        elif os.path.lexists(to):
            os.unlink(to)
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), to)
        elif entry.is_dir():
            os.makedirs(to, exist_ok=True)
            pending += ((path, inner) for inner in os.scandir(entry.path))
        else:
            mode = stat.S_IMODE(entry.stat().st_mode) | 0o200
            with open(entry.path, "rb") as file, open(to, "xb") as copied:
                os.fchmod(copied.fileno(), mode)
                while data := file.read(CHUNK_BYTES * 16):
                    copied.write(data)


def inside(path):
    if path.startswith(b"/") or b".." in path.split(b"/"):
        raise OSError(errno.EINVAL, f"not a path in the project: {path!r}")
    return path


def regular_files():
    """Path and status of each regular file in the project and in /tmp, following no links.

    Paths are relative to the project, or absolute. What is hidden in /tmp, which is the home folder, too, is left out.
    """
    pending = [b"", TEMPORARY]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(folder or WORK.encode()), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if folder == TEMPORARY and entry.name.startswith(b"."):
                continue
            path = folder + b"/" + entry.name if folder else entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield path, status
            elif stat.S_ISDIR(status.st_mode) and path.count(b"/") < 64:
                pending.append(path)


def signature(status):
    # The time of the last change cannot be set by a program.
    return status.st_ino, status.st_size, status.st_ctime_ns


# ---- the process that watches ----


class Process:
    """A fork that imports modules, waits for the job, and becomes it."""

    def __init__(self, pipes, modules):
        go, ready = os.pipe(), os.pipe()
        self.lives, self.pid = True, os.fork()
        if self.pid == 0:
            leave_for(be_process(pipes, go[0], ready[1], modules))
        os.close(go[0])
        os.close(ready[1])
        self.go = go[1]
        # What it has imported: nothing that anyone waits for when there is nothing to import.
        self.told = receive_told(ready[0]) if modules else {"names": [], "cpu_us": 0}
        os.close(ready[0])

    def suits(self, job, submitted):
        """Whether it lives, and the job sees no difference to a process that has imported nothing."""
        self.lives = self.lives and os.waitpid(self.pid, os.WNOHANG) == (0, 0)
        if not self.lives or self.told is None:
            return False
        if not self.told["names"]:
            return True
        own = {part.partition(b".")[0].decode("utf-8", "replace") for path in submitted for part in path.split(b"/")}
        return (
            own.isdisjoint(self.told["names"])
            and not any(READ_AT_IMPORT.match(name) for name, _ in job["env"])
            and not any(os.path.lexists(name) for name in FILES_READ_AT_IMPORT)
        )

    def take(self, job):
        try:
            send(self.go, JOB, job)
        except BrokenPipeError:
            pass  # it has been killed: that is how the job ends
        os.close(self.go)

    def end(self):
        os.close(self.go)
        if self.lives:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)


def receive_told(fd):
    """`None` when the process has ended instead."""
    frames = Frames()
    while data := os.read(fd, CHUNK_BYTES):
        for _, content in frames.cut(data):
            return json.loads(content)
    return None


def resident(pid):
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            return sum(int(line.split()[1]) << 10 for line in file if line.startswith(b"VmRSS:"))
    except OSError:
        return 0


class Pipes:
    """Between the job and its watch; each is (read end, write end)."""

    def __init__(self):
        self.stdin, self.stdout, self.stderr, self.report, self.place = (os.pipe() for _ in range(5))

    def keep_ours(self):
        for fd in self.of_the_job():
            os.close(fd)
        os.set_blocking(self.stdin[1], False)

    def of_the_job(self):
        return self.stdin[0], self.stdout[1], self.stderr[1], self.report[1], self.place[1]


class Watch:
    def __init__(self, frames, pipes, wake, process, job, submitted):
        self.frames, self.pipes, self.job, self.submitted = frames, pipes, job, submitted
        self.child, self.cpu_us_before = process.pid, process.told["cpu_us"]
        self.wake = wake
        self.stdin = pipes.stdin[1]
        self.input, self.input_ended, self.input_waits = [], False, False
        self.reports = Frames()
        self.place, self.place_until = b"", None
        self.poll = select.poll()
        # There is no telling which of two pipes was written to first; remarks mostly precede what they are about.
        self.sources = {
            pipes.stderr[0]: lambda data: send(1, STDERR, data),
            pipes.stdout[0]: lambda data: send(1, STDOUT, data),
            pipes.report[0]: self.relay_report,
            pipes.place[0]: self.take_place,
        }
        for fd in (0, wake, *self.sources):
            self.poll.register(fd, select.POLLIN)

    def until_the_end(self):
        while True:
            timeout = None if self.place_until is None else max(0, self.place_until - time.monotonic()) * 1000
            ready = dict(self.poll.poll(timeout))
            self.relay(ready)
            if self.stdin in ready:
                self.write_input()
            if 0 in ready:
                self.take_frames()
            if self.place_until is not None and time.monotonic() >= self.place_until:
                self.tell_place()
            if self.wake in ready:
                os.read(self.wake, 4096)
                pid, status, usage = os.wait4(self.child, os.WNOHANG)
                if pid:
                    self.end(status, usage)
                    return

    def relay(self, ready):
        for fd in [fd for fd in self.sources if fd in ready]:
            data = os.read(fd, CHUNK_BYTES)
            if data:
                self.sources[fd](data)
            else:
                self.poll.unregister(fd)
                del self.sources[fd]

    def relay_report(self, data):
        for kind, content in self.reports.cut(data):
            if kind in (REPORT, FIGURE):
                send(1, kind, content)
        if len(self.reports.rest) > REPORT_BYTES_MAX:
            self.reports.rest.clear()

    def take_frames(self):
        data = os.read(0, CHUNK_BYTES)
        if not data:
            kill_all()
            os._exit(1)  # the host is gone
        for kind, content in self.frames.cut(data):
            if kind == INPUT:
                self.input.append(content)
            elif kind == INPUT_END:
                self.input_ended = True
            elif kind == WHERE:
                os.kill(self.child, WHERE_SIGNAL)
                self.place_until = time.monotonic() + WHERE_SECONDS
        self.write_input()

    def write_input(self):
        """What the job takes now. The host has only a few pieces under way, so that these are not many."""
        try:
            while self.input and self.stdin >= 0:
                written = os.write(self.stdin, self.input[0])
                if written < len(self.input[0]):
                    self.input[0] = self.input[0][written:]
                else:
                    self.input.pop(0)
                    send(1, TAKEN)
        except BlockingIOError:
            self.wait_for_room(True)
            return
        except BrokenPipeError:
            self.input_ended = True
            self.input.clear()
        self.wait_for_room(False)
        if self.input_ended and self.stdin >= 0:
            os.close(self.stdin)
            self.stdin = -1

    def wait_for_room(self, wait):
        if wait and not self.input_waits:
            self.poll.register(self.stdin, select.POLLOUT)
        elif self.input_waits and not wait:
            self.poll.unregister(self.stdin)
        self.input_waits = wait

    def take_place(self, data):
        if self.place_until is None:
            return
        self.place = (self.place + data)[:PLACE_BYTES_MAX]
        if data.endswith(b"\0"):
            self.tell_place()

    def tell_place(self):
        self.place_until = None
        send(1, PLACE, json.dumps({"dump": self.place.rstrip(b"\0").decode(errors="replace"), **self.used()}).encode())

    def used(self):
        """Of the running job: as its end tells it otherwise."""
        try:
            with open(f"/proc/{self.child}/stat", "rb") as file:
                times = file.read().rpartition(b")")[2].split()[11:15]
            with open(f"/proc/{self.child}/status", "rb") as file:
                peak = [line.split()[1] for line in file if line.startswith(b"VmHWM:")]
        except OSError:
            return {}
        cpu = sum(map(int, times)) / os.sysconf("SC_CLK_TCK")
        return {"cpu_us": self.of_the_job(cpu), "peak_bytes": int(peak[0]) << 10 if peak else 0, **disk()}

    def of_the_job(self, cpu):
        return max(0, int(cpu * 1e6) - self.cpu_us_before)

    def end(self, status, usage):
        kill_all()
        until = time.monotonic() + DRAIN_SECONDS
        while self.sources and time.monotonic() < until:
            self.relay(dict(self.poll.poll(20)))
        told = {
            "code": os.WEXITSTATUS(status) if os.WIFEXITED(status) else None,
            "signal": os.WTERMSIG(status) if os.WIFSIGNALED(status) else None,
            "cpu_us": self.of_the_job(usage.ru_utime + usage.ru_stime),
            "peak_bytes": usage.ru_maxrss << 10,
            "oom": out_of_memory(),
            **disk(),
        }
        for name in sorted(missed_by_pip()):
            send(1, STDERR, f"pyexec: pip cannot install {name} here, for there is no network: name it in the requirements of the job\n".encode())
        if self.job["collect"]:
            self.send_files()
        send(1, END, json.dumps(told).encode())

    def send_files(self):
        room = self.job["collect_bytes"]
        for path, status in regular_files():
            if self.submitted.get(path) == signature(status) or status.st_size > room:
                continue
            try:
                fd = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
            except OSError:
                continue
            send(1, FILE, path)
            # To the size that was asked for, not to an end that may not come.
            left = status.st_size
            while left > 0 and (data := os.read(fd, min(left, CHUNK_BYTES))):
                send(1, CONTENT, data)
                left -= len(data)
            os.close(fd)
            room -= status.st_size


def kill_all():
    """Every process but this one and the container's first."""
    try:
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass


def disk():
    used, full, no_names = 0, False, False
    for folder in (WORK, "/tmp"):
        status = os.statvfs(folder)
        used += (status.f_blocks - status.f_bfree) * status.f_frsize
        full |= status.f_bfree == 0
        no_names |= status.f_ffree == 0
    return {"disk_bytes": used, "disk_full": full, "files_full": no_names}


def out_of_memory():
    """Processes that the kernel killed for it."""
    for path in ("/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"):
        try:
            with open(path) as file:
                return sum(int(line.split()[1]) for line in file if line.startswith("oom_kill "))
        except OSError:
            continue
    return 0


# ---- the process that is the job ----


class Left(BaseException):
    """Unwinds all functions of this file."""


def leave_for(steps):
    """Goes through a generator with no frame of this file below it; does not return.

    The interpreter calls its hook for exceptions when all frames are gone. Here that is made of functions in C, so that
    what the generator yields is dropped with an empty stack of Python frames. An exit that it raises ends the process.
    """
    sys.excepthook = functools.partial(max, steps, key=functools.partial(collections.deque, maxlen=0))
    raise Left


def at_the_bottom(function, *args):
    """Calls something with no Python frame below it, as the interpreter calls a script; to be delegated to by a generator.

    What is yielded is dropped while the generators are suspended, and calls the function when it goes. What is raised
    there is handed to a hook. That takes memory, of which there may be none, and the hook, which the job may have replaced
    by its own: so an object goes as soon as the call has ended, which lifts the limit and puts the hook in place.
    """
    results, errors, hooks = [], [None], [sys.unraisablehook]
    limits = resource.getrlimit(resource.RLIMIT_DATA)

    def catch(unraisable):
        if is_about(unraisable, call):
            errors[0] = unraisable.exc_value
        elif not is_about(unraisable, lift):
            hooks[0](unraisable)

    def ended():
        hooks[0], sys.unraisablehook = sys.unraisablehook, catch

    def guard():
        guard = guarded()
        guard.after = After(ended)
        return guard

    lift = functools.partial(resource.setrlimit, resource.RLIMIT_DATA, (limits[1], limits[1]))
    members = {"call": staticmethod(functools.partial(function, *args)), "__del__": staticmethod(lift)}
    guarded = type("", (), {"__slots__": ("after",), **members})
    call = functools.partial(results.extend, map(operator.methodcaller("call"), (guard() for _ in "1")))
    yield type("", (), {"__slots__": (), "__del__": staticmethod(call)})()
    sys.unraisablehook = hooks[0]
    if errors[0] is not None:
        raise errors[0]
    try:
        resource.setrlimit(resource.RLIMIT_DATA, limits)
    except ValueError:
        pass  # the job has lowered it
    return results[0]


class After:
    """Calls a function when it goes."""

    __slots__ = ("function",)

    def __init__(self, function):
        self.function = function

    def __del__(self):
        self.function()


def is_about(unraisable, function):
    # Since 3.14 it is only named.
    return unraisable.object is function or unraisable.object is None and repr(function) in (unraisable.err_msg or "")


def be_process(pipes, go, ready, modules):
    """Imports `modules`, waits for the job, and is it; does not end."""
    sys.excepthook = sys.__excepthook__
    for name in ("last_exc", "last_type", "last_value", "last_traceback"):
        vars(sys).pop(name, None)
    signal.set_wakeup_fd(-1)
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    set_dumpable(1)
    os.setsid()
    with open("/proc/self/oom_score_adj", "w") as file:
        file.write("1000")
    # Out of the way, so that the job's first file is descriptor 3.
    kept = [fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, 1000) for fd in (go, ready, *pipes.of_the_job())]
    os.closerange(3, 1000)
    go, ready, *standard, report, place = kept
    if modules or not select.select([go], [], [], IDLE_SECONDS)[0]:
        own_memory()
    imports = Imports(report)
    sys.meta_path.insert(0, imports)
    data = 0
    if modules:
        nowhere = os.open(os.devnull, os.O_RDWR)
        for fd in range(3):
            os.dup2(nowhere, fd)
        os.close(nowhere)
        data = data_bytes()
    names = imports.preload(modules)
    if modules:
        # The job has its own memory whether or not it uses them.
        data = max(0, data_bytes() - data)
        send(ready, READY, json.dumps({"names": names, "cpu_us": time.process_time_ns() // 1000}).encode())
    os.close(ready)
    frame = b""
    while data_read := os.read(go, CHUNK_BYTES):
        frame += data_read
    if not frame:
        os._exit(1)  # the runner is gone
    os.close(go)
    job = json.loads(frame[5:])
    for fd, end in enumerate(standard):
        os.dup2(end, fd)
        os.close(end)
    answer_where(place)
    memory = job["memory_bytes"] + data
    resource.setrlimit(resource.RLIMIT_DATA, (memory, memory + SPARE_BYTES))
    yield from run(job, imports, report)


def own_memory():
    """Copies what it shares with the runner now: to copy page by page would take as long as the rest of a small job."""
    try:
        import ctypes

        madvise = ctypes.CDLL(None).madvise
        madvise.argtypes = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
        with open("/proc/self/maps") as file:
            for line in file:
                span, access, _ = line.split(None, 2)
                if access == "rw-p":
                    start, end = (int(at, 16) for at in span.split("-"))
                    madvise(start, end - start, 23)  # MADV_POPULATE_WRITE: an older kernel refuses
    except (ImportError, OSError, AttributeError):
        pass


def data_bytes():
    """What RLIMIT_DATA is compared with."""
    with open("/proc/self/status", "rb") as file:
        return sum(int(line.split()[1]) << 10 for line in file if line.startswith(b"VmData:"))


def ours(function):
    """Marks a function that the job's code calls, for what is told of a job that is stopped in it."""
    function.__code__ = function.__code__.replace(co_filename="<pyexec>")
    return function


class Imports:
    """Imports modules before the job comes, and has them ready when it imports them: till then they are out of sight.

    Those of the standard library are seen, as they are in the other tier.
    """

    def __init__(self, report):
        self.report = report
        # What was imported with each module asked for, in that order.
        self.hidden = []
        # All that was imported here, with its names.
        self.kept = []
        # As the first, so that it is called after all that the job and its modules register.
        atexit.register(self.leave)

    def preload(self, modules):
        """The names, without what follows a dot, of all modules that came. Raises what an import raises."""
        first = frozenset(sys.modules)
        for name in modules:
            if _frozen_importlib_external.PathFinder.find_spec(top(name)) is None:
                continue
            before = frozenset(sys.modules)
            __import__(name)
            new = [name for name in sys.modules if name not in before and top(name) not in sys.stdlib_module_names]
            self.hidden.append({name: sys.modules[name] for name in new})
        self.kept += [(name, sys.modules[name]) for name in sys.modules if name not in FRESH]
        names = sorted({top(name) for name in sys.modules if name not in first})
        for group in self.hidden:
            for name in group:
                del sys.modules[name]
        for file in (sys.stdout, sys.stderr):
            file.flush()
        # It refers to itself, and what is frozen is no garbage: this lasts until the process ends.
        self.kept.append(("", self.kept))
        gc.freeze()
        return names

    def leave(self):
        """Taking them apart at the end, name by name, would take longer than most jobs."""
        for name, module in self.kept:
            if sys.modules.get(name) is module:
                del sys.modules[name]

    @ours
    def find_spec(self, name, path=None, target=None):
        if name == "matplotlib.pyplot":
            self.figures().be_the_default()
        for count, group in enumerate(self.hidden, 1):
            if group.get(name) is not None:
                return _frozen_importlib.ModuleSpec(name, Shown(self, count, group[name]))
        return None

    def show(self, count):
        """They refer to each other, so that what was imported with it, or before, is seen as well."""
        for group in self.hidden[:count]:
            for name in group:
                sys.modules.setdefault(name, group[name])
            group.clear()

    def figures(self):
        """The module of `figures.py`."""
        module = sys.modules.get(FIGURES_MODULE)
        if module is None:
            module = type(sys)(FIGURES_MODULE)
            module.tell = FigureTeller(self.report)
            exec(compile(FIGURES_SOURCE, "<pyexec>", "exec"), vars(module))
            sys.modules[FIGURES_MODULE] = module
        return module


class MissingFinder:
    """Asked last: tells of modules that the job's own code imports and nobody found, which another attempt may have."""

    def __init__(self, report):
        self.report, self.told, self.pid = report, set(), os.getpid()

    @ours
    def find_spec(self, name, path=None, target=None):
        if path is not None or name in self.told or len(self.told) >= MISSING_MAX or os.getpid() != self.pid:
            return None
        frame = sys._getframe(1)
        while frame is not None and "importlib" in frame.f_code.co_filename:
            if frame.f_code.co_name == "find_spec":
                return None  # importlib.util's: who asks whether there is one goes on without
            frame = frame.f_back
        if frame is None or frame.f_code.co_filename.startswith((WORK + "/", "<")):
            self.told.add(name)
            tell(self.report, missing=name)
        return None


class Shown:
    """Loads a module that is there."""

    def __init__(self, imports, count, module):
        self.imports, self.count, self.module = imports, count, module
        self.spec = getattr(module, "__spec__", None)

    def create_module(self, spec):
        return self.module

    @ours
    def exec_module(self, module):
        module.__spec__ = self.spec
        self.imports.show(self.count)


class FigureTeller:
    """Takes functions that draw a figure as PNG."""

    def __init__(self, report):
        self.report, self.count = report, 0

    @ours
    def __call__(self, draw):
        data = draw() if self.count < FIGURES_MAX else None
        if data is None or len(data) > FIGURE_BYTES_MAX:
            tell(self.report, figures_left_out=1)
            return
        self.count += 1
        try:
            send(self.report, FIGURE, data)
        except OSError:
            pass  # the job closed it


def top(name):
    return name.partition(".")[0]


def answer_where(place):
    """On a signal writes the Python frames, even from C code; then, when Python runs, what was printed but not flushed."""

    def flush(*_):
        for file in (sys.stdout, sys.stderr):
            try:
                file.flush()
            except Exception:
                pass  # closed, or interrupted in the middle of a write
        try:
            os.write(place, b"\0")
        except OSError:
            pass

    signal.signal(WHERE_SIGNAL, flush)
    faulthandler.register(WHERE_SIGNAL, file=place, all_threads=False, chain=True)


def run(job, imports, report):
    """As `python main.py` does; ends with an exit."""
    path = f"{WORK}/{job['script']}"
    pid = os.getpid()
    sys.meta_path.append(MissingFinder(report))
    try:
        status = yield from run_script(job, path, report)
    finally:
        if os.getpid() == pid and "matplotlib._pylab_helpers" in sys.modules:
            imports.figures().tell_open()
    raise SystemExit(status)


def run_script(job, path, report):
    try:
        names = become_main(job, path)
        value, called = yield from execute(job, path, names)
        yield from describe(value, called, report)
    except SystemExit:
        raise
    except BaseException as error:
        return (yield from uncaught(error, path, report))
    return 0


def become_main(job, path):
    folder = os.path.dirname(path)
    if job["speaks_of_pip"]:
        use_user_site()
    sys.argv = [job["script"], *job["args"]]
    sys.orig_argv = ["python3", *sys.argv]
    sys.path.insert(0, folder)
    forget(entry.name.partition(".")[0] for entry in os.scandir(folder))
    for name, value in job["env"]:
        os.environ[name] = value
    for name in job["unset"]:
        os.environ.pop(name, None)
    if job["cwd"] != WORK:
        try:
            os.chdir(job["cwd"])
        except OSError:
            pass  # a folder that only root may see
    if "TZ" in os.environ:
        time.tzset()
    # As on a terminal: what is printed is seen when it is printed, and survives a stop.
    sys.stdout.reconfigure(line_buffering=True)
    module = type(sys)("__main__")
    module.__loader__ = _frozen_importlib_external.SourceFileLoader("__main__", path)
    module.__builtins__ = builtins
    module.__file__ = path
    module.__cached__ = None
    sys.modules["__main__"] = module
    return vars(module)


def forget(beside):
    """Modules that this file has imported and that the script has its own of."""
    beside = frozenset(beside) - {name.partition(".")[0] for name in FRESH}
    for name in [name for name in sys.modules if name.partition(".")[0] in beside]:
        del sys.modules[name]


def execute(job, path, names):
    """The value asked for, and whether a function returned it."""
    with open(path, "rb") as file:
        source = file.read()
    if b"\0" in source:
        raise SyntaxError("source code cannot contain null bytes")
    value = None
    if job["last_expression"]:
        if b"display" in source:
            names["display"] = display
        value = yield from execute_cell((yield from compiled(source, path, AST | AWAITING, True)), path, names)
    else:
        yield from at_the_bottom(exec, (yield from compiled(source, path, 0)), names)
    if job["function"] is None:
        return value, False
    return (yield from call(names, job["function"], job["arguments"])), True


def compiled(source, path, flags, cell=False):
    """Compiles; a line that installs packages is taken out when the compiler comes upon it, and not where it is text."""
    while True:
        try:
            return (yield from at_the_bottom(compile, source, path, "exec", flags, True))
        except SyntaxError as error:
            plain = without_installing(source, error.lineno)
            if plain is None and cell:
                plain = without_magic(source, error)
            if plain is None:
                raise
            source = plain


def without_installing(source, number):
    lines = source.splitlines(True)
    before = sum(map(len, lines[: (number or 0) - 1]))
    found = INSTALLING.match(source, before) if number else None
    if found is None:
        return None
    return source[:before] + found[1] + b"pass" + b"\n" * found[0].count(b"\n") + source[found.end() :]


def without_magic(source, error):
    """Takes a line that changes nothing here out of a cell; of another that is no Python it says what to write instead."""
    lines = source.splitlines(True)
    at = (error.lineno or 0) - 1
    if not 0 <= at < len(lines):
        return None
    if HARMLESS_MAGIC.match(lines[at]):
        lines[at] = lines[at][: len(lines[at]) - len(lines[at].lstrip())] + b"pass\n"
        return b"".join(lines)
    magic = MAGIC.match(lines[at])
    if magic is not None:
        error.msg = advice(*magic.groups())
    return None


def advice(shell, command, name, before, after):
    if shell:
        command = command.decode("utf-8", "replace")
        return f"no shell commands here; in Python that is subprocess.run({command!r}, shell=True)"
    if name is None:
        return f"no question marks of notebooks here; in Python that is help({(before or after).decode()})"
    return f"no magics of notebooks here: take {name.decode()} out, or write it in Python"


@ours
def display(*objects, **options):
    """Shows objects as a notebook does that has only text."""
    for value in objects:
        print(repr(value))


def execute_cell(tree, path, names):
    """Executes code as a notebook does: the value is that of the last statement, and any may await."""
    import ast

    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = ast.Expression(tree.body.pop().value)
    awaits = Awaits(path, names)
    parts = [(ast.Module([statement], []), "exec") for statement in tree.body] + ([(last, "eval")] if last else [])
    codes = [compile(part, path, mode, AWAITING, True) for part, mode in parts]
    if not any(map(is_coroutine, codes)):
        yield from at_the_bottom(exec, compile(tree, path, "exec", 0, True), names)
        return (yield from at_the_bottom(eval, codes[-1], names)) if last else None
    value = None
    try:
        for (part, _), code in zip(parts, codes):
            value = yield from awaits.execute(part, code)
    finally:
        awaits.close()
    return value if last else None


def is_coroutine(code):
    return bool(code.co_flags & 128)  # CO_COROUTINE


class Awaits:
    """Executes statements that await in one event loop, and the others beside it, where `asyncio.run` may be called."""

    # What looks for a running loop without awaiting.
    IN_LOOP = frozenset({"create_task", "ensure_future", "get_running_loop", "gather", "shield", "current_task"})

    def __init__(self, path, names):
        self.path, self.names, self.loop = path, names, None

    def execute(self, part, code):
        import ast
        import asyncio

        words = {getattr(node, "attr", None) or getattr(node, "id", None) for node in ast.walk(part)}
        if not is_coroutine(code) and words.isdisjoint(self.IN_LOOP):
            return (yield from at_the_bottom(eval, code, self.names))
        if self.loop is None:
            self.loop = asyncio.new_event_loop()
        if is_coroutine(code):
            value = eval(code, self.names)
            try:
                return (yield from at_the_bottom(self.loop.run_until_complete, value))
            except BaseException as error:
                error.__traceback__ = from_file(error.__traceback__, self.path)
                raise
        asyncio._set_running_loop(self.loop)
        try:
            return (yield from at_the_bottom(eval, code, self.names))
        finally:
            asyncio._set_running_loop(None)

    def close(self):
        if self.loop is None:
            return
        import asyncio

        try:
            asyncio.runners._cancel_all_tasks(self.loop)
            self.loop.run_until_complete(self.loop.shutdown_asyncgens())
        finally:
            self.loop.close()


def from_file(trace, path):
    """The part of a traceback from a file on; all of it when that is not in it."""
    found = trace
    while found is not None and found.tb_frame.f_code.co_filename != path:
        found = found.tb_next
    return found or trace


def call(names, function, arguments):
    """Calls the job's function; `arguments` is JSON: a list of positional ones, an object of keywords, or null."""
    arguments = json.loads(arguments)
    target = names.get(function)
    if not callable(target):
        what = "is not callable" if function in names else "is not defined"
        raise NameError(f"entry function {function!r} {what}")
    if isinstance(arguments, dict):
        value = yield from at_the_bottom(functools.partial(target, **arguments))
    else:
        value = yield from at_the_bottom(target, *(arguments or []))
    import types

    if isinstance(value, types.CoroutineType):
        import asyncio

        value = yield from at_the_bottom(asyncio.run, value)
    return value


def describe(value, called, report):
    """Reports the value; as with the interactive prompt, None is no result unless a function returned it."""
    if value is None and not called:
        return
    tell(report, result=printable((yield from at_the_bottom(repr, value))))
    text = as_json(value)
    if text is not None:
        tell(report, result_json=text)


def as_json(value):
    """Returns the value as JSON, or None where JSON would be another value than `repr` shows; as `_pyexec_cell.py` does."""
    if not is_faithful(value):
        return None
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return None
    return text


def is_faithful(value):
    # The project may have modules of these names, which an import here would find.
    dictionaries = {dict, collections.OrderedDict, collections.defaultdict, collections.Counter}
    sequences = {list, tuple}
    scalars = {bool, int, float, str, type(None)}
    pending, seen = [value], set()
    while pending:
        value = pending.pop()
        kind = type(value)
        if kind in dictionaries:
            if not set(map(type, value)) <= {str}:
                return False
            items = value.values()
        elif kind in sequences:
            items = value
        elif kind in scalars or isinstance(value, (int, float, str)) and not isinstance(value, enum.Enum):
            continue
        else:
            return False
        if id(value) not in seen:
            seen.add(id(value))
            if not set(map(type, items)) <= scalars:
                pending += items
    return True


def uncaught(error, path, report):
    """Prints and reports an exception that ends the job; returns the exit status."""
    hide_ours(error)
    trace = error.__traceback__
    line = None
    while trace is not None and line is None:
        if trace.tb_frame.f_code.co_filename == path:
            line = trace.tb_lineno
        trace = trace.tb_next
    if line is None and isinstance(error, SyntaxError) and error.filename == path:
        line = error.lineno
    try:
        message = printable(str(error))
    except Exception:
        message = "<exception str() failed>"
    no_space = isinstance(error, OSError) and error.errno in (errno.ENOSPC, errno.EDQUOT)
    frames = printable(frames_of_project(error))
    tell(report, kind=printable(type(error).__name__), message=message, line=line, frames=frames, no_space=no_space)
    yield from show(error)
    return 130 if isinstance(error, KeyboardInterrupt) else 1


def frames_of_project(error):
    """The innermost frames of the job's own files, with NUL between all that they consist of; as `_pyexec_cell.py` does."""
    frames, trace = [], error.__traceback__
    while trace is not None:
        code = trace.tb_frame.f_code
        frames.append((code.co_filename, trace.tb_lineno, code.co_name))
        trace = trace.tb_next
    if isinstance(error, SyntaxError) and isinstance(error.filename, str):
        frames.append((error.filename, error.lineno, "<module>"))
    own = [frame for frame in frames if frame[0].startswith(WORK + "/") and isinstance(frame[1], int)]
    return "\0".join(f"{path[len(WORK) + 1:]}\0{line}\0{function}" for path, line, function in own[-FRAMES_MAX:])


def hide_ours(error):
    """Takes frames of this file and of `figures.py` out of the tracebacks of an exception and those before it."""
    seen, pending = set(), [error]
    while pending:
        error = pending.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        pending += (error.__cause__, error.__context__)
        if isinstance(error, GROUPS):
            pending += error.exceptions
        error.__traceback__ = without_ours(error.__traceback__)


def without_ours(trace):
    first = trace = after_ours(trace)
    while trace is not None:
        following = after_ours(trace.tb_next)
        if following is not trace.tb_next:
            trace.tb_next = following
        trace = following
    return first


def after_ours(trace):
    while trace is not None and is_ours(trace.tb_frame.f_globals):
        trace = trace.tb_next
    return trace


def is_ours(names):
    return names is globals() or names.get("__name__") == FIGURES_MODULE


def show(error):
    try:
        yield from at_the_bottom(sys.excepthook, type(error), error, error.__traceback__)
    except SystemExit:
        raise
    except BaseException as second:
        print("Error in sys.excepthook:", file=sys.stderr)
        second.__traceback__ = without_ours(second.__traceback__)
        second.__context__ = None
        sys.__excepthook__(type(second), second, second.__traceback__)
        print("\nOriginal exception was:", file=sys.stderr)
        sys.__excepthook__(type(error), error, error.__traceback__)


def printable(text):
    return text.encode("utf-8", "backslashreplace").decode()


def tell(report, **what):
    try:
        send(report, REPORT, json.dumps(what).encode())
    except OSError:
        pass  # the job closed it


main()
