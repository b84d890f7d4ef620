"""Runs one job in a container: takes it as frames on stdin, tells what happens as frames on stdout.

The job runs in a fork of this process, as the same user.
"""
import json
import os
import signal
import sys

from frames import READY, REFUSED, STARTED, Frames, send
from image import ENVIRONMENT, configure_pip, know_the_user, make_alias, use_packages
from load import PRELOAD, make_later
from process import Pipes, Process, set_dumpable
from project import WORK, put_in_place, receive, regular_files, signature
from watch import Watch

# OpenBLAS and OpenMP start a thread for each CPU; their memory is the job's.
THREADS_MAX = 8


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
        told = json.loads(job)
        # A session has yet to be told its code.
        told["speaks_of_pip"] = speaks_of_pip or told["session"]
        put_in_place(told)
        if told["speaks_of_pip"] and not told["network"]:
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
    watch = make_later("calls").CallWatch if told["session"] else Watch
    watch(frames, pipes, wake, process, told, submitted).until_the_end()
    # Whatever the job left behind holds nothing of this process that must be put in order.
    os._exit(0)


def forget_source():
    """Python keeps the text after `-c` as that of any code called `<string>`, such as a job's."""
    linecache = sys.modules.get("linecache")
    for cache in ("cache", "_interactive_cache"):
        getattr(linecache, cache, {}).clear()


def resident(pid):
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            return sum(int(line.split()[1]) << 10 for line in file if line.startswith(b"VmRSS:"))
    except OSError:
        return 0
