"""What the code of sessions takes from the tier that it runs in: here WebAssembly.

A container's runner has a module of this name, too.
"""
from _pyexec import call_tools, report, seed_later

REPORT_DISPLAY = 12
FOLDER = "/usr/lib/python3.14/"
# Files of ours beside those that begin with `_pyexec_`: they stand in for modules in C, which have no frames.
STAND_INS = frozenset(
    f"{FOLDER}{name}.py"
    for name in "_curses _multiprocessing _posixshmem _posixsubprocess _socket _ssl fcntl grp mmap pwd readline resource "
                "syslog termios".split()
)


def is_ours(path):
    """Says whether code of this path is ours, of which tracebacks say nothing."""
    return path.startswith(FOLDER + "_pyexec_") or path in STAND_INS


def show(shown):
    """Tells of something that is shown, as JSON."""
    report(REPORT_DISPLAY, shown)


def select_and_call(select, selector, calls, timeout):
    """Sends calls of tools, and waits for what a selector waits for, or for results: returns both."""
    ready = select(0)
    if ready and calls == "[]":
        return ready, ""
    return ready, call_tools(calls, 0.0 if ready else -1.0 if timeout is None else timeout)
