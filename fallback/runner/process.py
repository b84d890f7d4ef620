"""The process that becomes the job: a fork of the runner, made beforehand, that imports modules and waits."""
import fcntl
import faulthandler
import json
import os
import re
import resource
import select
import signal
import sys
import time

from frames import CHUNK_BYTES, JOB, READY, Frames, send
from imports import Imports
from load import make_later
from script import run
from stack import leave_for

# For an interpreter out of memory to say so.
SPARE_BYTES = 16 << 20
# Asks the job where it is. Programs use the lower ones.
WHERE_SIGNAL = signal.SIGRTMAX - 3
# A job that is not there by then has not started this container.
IDLE_SECONDS = 0.05

# What modules read when they are imported. A job that sets one of these, or has such a file, gets a process that has not
# imported any yet.
READ_AT_IMPORT = re.compile(
    "PYTHON|LC_|LANG|TZ|LD_|MALLOC_|TMPDIR|HOME|XDG_|OMP_|GOMP_|KMP_|MKL_|OPENBLAS_|GOTO_|BLIS_|NPY_|NUMPY_|NUMEXPR_|NUMBA_"
    "|PANDAS_|PYARROW_|ARROW_|SCIPY_|SKLEARN_|JOBLIB_|MPL|MATPLOTLIB"
)
FILES_READ_AT_IMPORT = frozenset({"matplotlibrc"})


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


class Pipes:
    """Between the job and its watch; each is (read end, write end), but for `calls`, which is a pair of sockets."""

    def __init__(self):
        self.stdin, self.stdout, self.stderr, self.report, self.place = (os.pipe() for _ in range(5))
        self.calls = socket_pair()

    def keep_ours(self):
        for fd in self.of_the_job():
            os.close(fd)
        os.set_blocking(self.stdin[1], False)

    def of_the_job(self):
        return self.stdin[0], self.stdout[1], self.stderr[1], self.report[1], self.place[1], self.calls[0]


def socket_pair():
    """For what can pass descriptors on, as the input of each call of a session is another one."""
    import _socket

    ends = tuple(end.detach() for end in _socket.socketpair())
    # A job has not imported it.
    del sys.modules["_socket"]
    return ends


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
    go, ready, *standard, report, place, calls = kept
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
    if job["session"]:
        modules = "_pyexec_tier", "_pyexec_cell", "_pyexec_tools", "_pyexec_display", "_pyexec_session", "cells"
        make_later(*modules).serve(job, imports, report, calls)
    os.close(calls)
    yield from run(job, imports, report)


def set_dumpable(flag):
    """Whether other processes of this user may look into this one."""
    try:
        import ctypes

        ctypes.CDLL(None).prctl(4, flag, 0, 0, 0)  # PR_SET_DUMPABLE
    except (ImportError, OSError, AttributeError):
        pass  # one wall less around frames that the host does not believe anyway


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
