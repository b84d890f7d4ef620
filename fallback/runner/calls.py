"""Passes the calls of a session on to its process, each with an input of its own, and tells of the end of each."""
import errno
import json
import os
import select
import signal
import stat
import sys

import _socket

from frames import (
    ANSWER, CALL, CALLED, FIGURE, FILES, GOES_ON, HEARS, INPUT, INPUT_END, INTERRUPT, QUESTION, REPORT, RESULTS, TOOLS, encoded, send,
)
from project import WORK, regular_files
from watch import Watch, counted, limits_hit

# Pieces of output that are passed on before the end of the call that wrote them: as much as there is in the pipes.
DRAINED_MAX = 64


class CallWatch(Watch):
    def __init__(self, frames, pipes, wake, process, job, submitted):
        super().__init__(frames, pipes, wake, process, job, submitted)
        self.socket = _socket.socket(fileno=pipes.calls[1])
        self.socket.setblocking(False)
        # Frames for the process, each with a descriptor that goes along, or None.
        self.queue, self.queue_waits = [], False
        self.in_call, self.hears, self.is_interrupted = False, False, False
        self.refused, self.killed = refused(), killed()
        self.end_input()

    # ---- to the process ----

    def take_frame(self, kind, content):
        if kind == CALL:
            reading, self.stdin = self.new_input()
            self.begin()
            self.hand_over(kind, content, reading)
        elif kind == QUESTION:
            self.begin()
            self.hand_over(kind, content)
        elif kind == RESULTS:
            self.hand_over(kind, content)
        elif kind == INTERRUPT:
            self.interrupt()
        elif kind == FILES:
            answer_about_files(content)
        elif kind not in (INPUT, INPUT_END) or self.stdin >= 0:
            super().take_frame(kind, content)

    def begin(self):
        self.in_call, self.hears, self.is_interrupted = True, False, False

    def new_input(self):
        self.end_input()
        self.input_ended = False
        reading, writing = os.pipe()
        os.set_blocking(writing, False)
        return reading, writing

    def end_input(self):
        self.input.clear()
        self.input_ended = True
        self.write_input()

    def hand_over(self, kind, content, descriptor=None):
        self.queue.append([memoryview(encoded(kind, content)), descriptor])
        self.write_queue()

    def attend(self, ready):
        if self.socket.fileno() in ready:
            self.write_queue()

    def write_queue(self):
        try:
            while self.queue:
                data, descriptor = self.queue[0]
                along = [] if descriptor is None else [
                    (_socket.SOL_SOCKET, _socket.SCM_RIGHTS, descriptor.to_bytes(4, sys.byteorder))
                ]
                sent = self.socket.sendmsg([data], along)
                if descriptor is not None:
                    os.close(descriptor)
                self.queue[0] = [data[sent:], None]
                if sent == len(data):
                    self.queue.pop(0)
        except BlockingIOError:
            self.wait_for_queue(True)
            return
        except OSError:
            self.queue.clear()  # the process has closed it
        self.wait_for_queue(False)

    def wait_for_queue(self, wait):
        if wait and not self.queue_waits:
            self.poll.register(self.socket, select.POLLOUT)
        elif self.queue_waits and not wait:
            self.poll.unregister(self.socket)
        self.queue_waits = wait

    def interrupt(self):
        """As a terminal does: the process, and those of its own that have not left its group."""
        if not self.hears:
            # One that comes so early waits for its call.
            self.is_interrupted = self.in_call
            return
        try:
            os.killpg(self.child, signal.SIGINT)
            if os.getpgid(self.child) != self.child:
                os.kill(self.child, signal.SIGINT)
        except OSError:
            pass  # it has ended, which is told elsewhere

    # ---- from the process ----

    def take_report(self, kind, content):
        if kind == HEARS:
            self.hears = self.in_call
            if self.is_interrupted:
                self.interrupt()
        elif kind == CALLED:
            self.drain()
            self.in_call = self.hears = False
            self.end_input()
            send(1, CALLED, json.dumps({**parsed(content), **self.hit()}).encode())
        elif kind == ANSWER:
            self.in_call = self.hears = False
            send(1, kind, content)
        elif kind in (REPORT, FIGURE, TOOLS, GOES_ON):
            send(1, kind, content)

    def drain(self):
        """Passes on what was written before the end of a call."""
        for _ in range(DRAINED_MAX):
            ready = {fd: event for fd, event in self.poll.poll(0) if fd in (self.pipes.stdout[0], self.pipes.stderr[0])}
            if not ready:
                return
            self.relay(ready)

    def hit(self):
        """The limits that were hit since this was asked the last time."""
        before = self.refused, self.killed
        self.refused, self.killed = refused(), killed()
        return {**limits_hit(), "processes_full": self.refused > before[0], "oom": self.killed - before[1]}


def answer_about_files(content):
    """Lists, reads, writes or removes files of the project."""
    asked, _, data = content.partition(b"\0")
    asked, found = json.loads(asked), b""
    path = os.path.join(WORK, asked["path"])
    try:
        if asked["do"] == "list":
            told = {"files": list(listed())}
        elif asked["do"] == "read":
            told, found = read(path, asked["at"], asked["length"])
        elif asked["do"] == "write":
            told = write(path, asked["at"], data)
        else:
            told = remove(path)
    except OSError as error:
        told = {"error": error.strerror or str(error)}
    send(1, FILES, json.dumps(told).encode() + b"\0" + found)


def listed():
    for path, status in regular_files():
        if not path.startswith(b"/"):
            try:
                yield path.decode(), status.st_size, status.st_mtime_ns
            except UnicodeDecodeError:
                pass  # nobody could ask for it


def opened(path, flags):
    """Of a regular file, following no link, and waiting for nobody."""
    fd = os.open(path, flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, 0o644)
    status = os.fstat(fd)
    if not stat.S_ISREG(status.st_mode):
        os.close(fd)
        raise OSError(errno.EINVAL, "no file")
    return fd, status


def read(path, at, length):
    fd, status = opened(path, os.O_RDONLY)
    try:
        return {"size": status.st_size}, os.pread(fd, length, at)
    finally:
        os.close(fd)


def write(path, at, data):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    fd, _ = opened(path, os.O_WRONLY | os.O_CREAT | (0 if at else os.O_TRUNC))
    try:
        while data:
            written = os.pwrite(fd, data, at)
            data, at = data[written:], at + written
    finally:
        os.close(fd)
    return {}


def remove(path):
    if not stat.S_ISREG(os.lstat(path).st_mode):
        raise OSError(errno.EINVAL, "no file")
    os.unlink(path)
    return {}


def parsed(content):
    """What the process says, which code of others can say as well."""
    try:
        told = json.loads(content)
    except ValueError:
        return {}
    return told if isinstance(told, dict) else {}


def refused():
    return counted("max", "/sys/fs/cgroup/pids.events", "/sys/fs/cgroup/pids/pids.events")


def killed():
    return counted("oom_kill", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control")
