"""Frames: one byte of kind, four of length (little endian), and the content.

`src/executor/docker/frames.rs` has the other side. The job is the same user as the runner, and can forge what is told here:
so the host bounds all of it, and decides by itself about time, memory and the container's end.
"""
import json
import os

CHUNK_BYTES = 64 * 1024

# From the host.
# From the host.
JOB, FOLDER, FILE, CONTENT, LINK, RUN, INPUT, INPUT_END, WHERE, STOP = b"J", b"D", b"F", b"C", b"L", b"R", b"I", b"E", b"W", b"t"
# The same, in a session.
CALL, QUESTION, RESULTS, INTERRUPT = b"Q", b"A", b"T", b"B"
# Asks for something about its files, in both directions: JSON, NUL, and the content of a file.
FILES = b"f"
# To the host; FILE and CONTENT too.
READY, REFUSED, STARTED, STDOUT, STDERR, TAKEN = b"Y", b"N", b"S", b"O", b"X", b"K"
REPORT, FIGURE, PLACE, DELETED, UNCOLLECTED, END = b"V", b"G", b"P", b"M", b"u", b"Z"
# The same, in a session: what asks for results of tools, what waits for them no longer, an answer, and the end of a call.
TOOLS, GOES_ON, ANSWER, CALLED = b"T", b"U", b"A", b"D"
# To the watch: a call hears interrupts from now on.
HEARS = b"H"


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


def encoded(kind, content=b""):
    return kind + len(content).to_bytes(4, "little") + content


def send(fd, kind, content=b""):
    data = memoryview(encoded(kind, content))
    while data:
        data = data[os.write(fd, data) :]


def tell(report, **what):
    """Sends a report of the job."""
    try:
        send(report, REPORT, json.dumps(what).encode())
    except OSError:
        pass  # the job closed it
