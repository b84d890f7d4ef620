"""What the code of sessions takes from the tier that it runs in: here a container, where it is `_pyexec_tier`.

WebAssembly has a module of this name, too.
"""
import _thread
import os
import select
import signal
import sys
import time

import _socket

from frames import CALL, CHUNK_BYTES, GOES_ON, QUESTION, REPORT, RESULTS, TOOLS, Frames, send

# Of one batch of calls; the host takes no more.
ARGUMENTS_BYTES_MAX = 16 << 20
# Where there are other threads, one of them may have read what another waits for.
LOOK_SECONDS = 0.05
DESCRIPTOR_BYTES = 4
# That of the module `selectors`.
EVENT_READ = 1

# The one channel of the process.
channel = None


def is_ours(path):
    """Says whether code of this path is ours, of which tracebacks say nothing."""
    return path.startswith("<pyexec ")


def seed_later(generator):
    generator.seed()


def show(shown):
    """Tells of something that is shown, as JSON; a fork of the process has nobody to tell."""
    if os.getpid() == channel.pid:
        channel.send(channel.report, REPORT, f'{{"display":{shown}}}'.encode())


def call_tools(calls, seconds):
    """Sends calls of tools, and waits for results of some of those outstanding; less than all of the time, perhaps."""
    return channel.call_tools(calls, seconds)


def select_and_call(select, selector, calls, timeout):
    """Sends calls of tools, and waits for what a selector waits for, or for results: returns both."""
    return channel.select_and_call(select, selector, calls, timeout)


class Channel:
    """Between the process of a session and its watch. Any thread may ask for results of tools."""

    def __init__(self, report, calls):
        self.report, self.pid = report, os.getpid()
        self.socket = _socket.socket(fileno=calls)
        self.frames, self.lock, self.sending = Frames(), _thread.allocate_lock(), _thread.allocate_lock()
        self.descriptors, self.calls, self.results = [], [], []

    def send(self, fd, kind, content=b""):
        """Sends a frame that no interrupt and no other thread cuts in two. `fd` is that of reports."""

        def whole():
            with self.sending:
                send(fd, kind, content)

        undisturbed(whole)

    def next_call(self):
        """The kind of what is asked next, its content, and a descriptor of its input; ends the process with its watch."""
        while not self.calls:
            self.wait(None)
        kind, content = self.calls.pop(0)
        return kind, content, self.descriptors.pop(0) if kind == CALL else None

    def call_tools(self, calls, seconds):
        self.ask(calls)
        until = None if seconds < 0 else time.monotonic() + seconds
        if not self.results:
            self.wait(until)
        return self.taken()

    def select_and_call(self, select, selector, calls, timeout):
        self.ask(calls)
        try:
            selector.register(self.socket, EVENT_READ)
        except KeyError:
            pass  # it was interrupted where it would have gone
        try:
            ready = select(0 if self.results else timeout)
        finally:
            selector.unregister(self.socket)
        others = [(key, events) for key, events in ready if key.fileobj is not self.socket]
        if len(others) < len(ready):
            self.receive()
        return others, self.taken()

    def ask(self, calls):
        if os.getpid() != self.pid:
            raise RuntimeError("tools can be called only in the process of the session itself")
        content = calls.encode()
        if len(content) > ARGUMENTS_BYTES_MAX:
            raise ValueError(f"the arguments of tools take more than {ARGUMENTS_BYTES_MAX} bytes")
        self.send(self.report, TOOLS, content)

    def taken(self):
        if self.results:
            return self.results.pop(0)
        self.send(self.report, GOES_ON)
        return ""

    def wait(self, until):
        """Waits for the watch, or less."""
        seconds = None if until is None else max(0, until - time.monotonic())
        if _thread._count():
            seconds = LOOK_SECONDS if seconds is None else min(seconds, LOOK_SECONDS)
        poll = select.poll()
        poll.register(self.socket, select.POLLIN)
        if poll.poll(None if seconds is None else seconds * 1000):
            self.receive()

    def receive(self):
        """Takes what there is."""
        undisturbed(self.receive_undisturbed)

    def receive_undisturbed(self):
        with self.lock:
            try:
                room = _socket.CMSG_SPACE(DESCRIPTOR_BYTES)
                data, along, _, _ = self.socket.recvmsg(CHUNK_BYTES, room, _socket.MSG_DONTWAIT | _socket.MSG_CMSG_CLOEXEC)
            except BlockingIOError:
                return  # another thread has it
            if not data:
                os._exit(1)  # the watch is gone
            for _, _, descriptor in along:
                self.descriptors.append(int.from_bytes(descriptor[:DESCRIPTOR_BYTES], sys.byteorder))
            for kind, content in self.frames.cut(data):
                if kind in (CALL, QUESTION):
                    self.calls.append((kind, content))
                elif kind == RESULTS:
                    self.results.append(content.decode())


def undisturbed(function):
    """Calls a function to its end before an interrupt is heard."""
    noted = []
    try:
        before = signal.signal(signal.SIGINT, lambda *_: noted.append(1))
    except ValueError:
        return function()  # interrupts are the main thread's
    try:
        return function()
    finally:
        signal.signal(signal.SIGINT, signal.SIG_DFL if before is None else before)
        if noted:
            signal.raise_signal(signal.SIGINT)
