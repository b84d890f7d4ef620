"""Passes on what happens between the host and the job, and tells of the job's end."""
import json
import os
import select
import signal
import time

from frames import (
    CHUNK_BYTES, CONTENT, DELETED, END, FIGURE, FILE, INPUT, INPUT_END, PLACE, REPORT, STDERR, STDOUT, STOP, TAKEN,
    UNCOLLECTED, WHERE, Frames, send,
)
from image import missed_by_pip
from process import WHERE_SIGNAL
from project import WORK, regular_files, signature

REPORT_BYTES_MAX = 16 << 20
PLACE_BYTES_MAX = 64 * 1024
WHERE_SECONDS = 0.12
DRAIN_SECONDS = 0.2


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
            self.attend(ready)
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

    def attend(self, ready):
        """Does what else there is to do."""

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
            self.take_report(kind, content)
        if len(self.reports.rest) > REPORT_BYTES_MAX:
            self.reports.rest.clear()

    def take_report(self, kind, content):
        if kind in (REPORT, FIGURE):
            send(1, kind, content)

    def take_frames(self):
        data = os.read(0, CHUNK_BYTES)
        if not data:
            kill_all()
            os._exit(1)  # the host is gone
        for kind, content in self.frames.cut(data):
            self.take_frame(kind, content)
        self.write_input()

    def take_frame(self, kind, content):
        if kind == INPUT:
            self.input.append(content)
        elif kind == INPUT_END:
            self.input_ended = True
        elif kind == WHERE:
            os.kill(self.child, WHERE_SIGNAL)
            self.place_until = time.monotonic() + WHERE_SECONDS
        elif kind == STOP:
            kill_all()

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
        return {"cpu_us": self.of_the_job(cpu), "peak_bytes": int(peak[0]) << 10 if peak else 0, **limits_hit()}

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
            "oom": counted("oom_kill", "/sys/fs/cgroup/memory.events", "/sys/fs/cgroup/memory/memory.oom_control"),
            **limits_hit(),
        }
        for name in sorted(missed_by_pip()):
            send(1, STDERR, f"pyexec: pip cannot install {name} here, for there is no network: name it in the requirements of the job\n".encode())
        if self.job["collect"]:
            self.send_files()
        send(1, END, json.dumps(told).encode())

    def send_files(self):
        room = self.job["collect_bytes"]
        gone = set(self.submitted)
        for path, status in regular_files():
            gone.discard(path)
            if self.submitted.get(path) == signature(status):
                continue
            if status.st_size > room:
                send(1, UNCOLLECTED, path)
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
        for path in gone:
            send(1, DELETED, path)


def kill_all():
    """Every process but this one and the container's first."""
    try:
        os.kill(-1, signal.SIGKILL)
    except OSError:
        pass


def limits_hit():
    used, full, no_names = 0, False, False
    for folder in (WORK, "/tmp"):
        status = os.statvfs(folder)
        used += (status.f_blocks - status.f_bfree) * status.f_frsize
        full |= status.f_bfree == 0
        no_names |= status.f_ffree == 0
    refused = counted("max", "/sys/fs/cgroup/pids.events", "/sys/fs/cgroup/pids/pids.events")
    return {"disk_bytes": used, "disk_full": full, "files_full": no_names, "processes_full": refused > 0}


def counted(event, *paths):
    """How often the container's control group, of the second version or the first, has met an event."""
    for path in paths:
        try:
            with open(path) as file:
                return sum(int(line.split()[1]) for line in file if line.split()[0] == event)
        except OSError:
            continue
    return 0
