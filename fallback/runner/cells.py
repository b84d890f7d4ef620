"""Runs the calls of a session, one after the other in the same names, and answers questions about them.

It does so in the process that would have become the job.
"""
import builtins
import functools
import json
import os
import resource
import signal
import sys

import _pyexec_cell
import _pyexec_session
import _pyexec_tier
from _pyexec_common import as_json
from frames import ANSWER, CALL, CALLED, HEARS, REPORT
from project import WORK
from script import adapt, printable, uncaught

# Of a question's answer, and of a result: the host takes no longer frames.
ANSWER_BYTES_MAX = 15 << 20


def serve(job, imports, report, calls):
    """Does not return."""
    _pyexec_tier.channel = channel = _pyexec_tier.Channel(report, calls)
    imports.send = channel.send
    Cells(become_main(job), imports, channel).serve()


def become_main(job):
    """As the interactive interpreter has it, where nothing is the script."""
    adapt(job, WORK)
    module = type(sys)("__main__")
    module.__builtins__ = builtins
    sys.modules["__main__"] = module
    return vars(module)


class Cells:
    def __init__(self, names, imports, channel):
        self.names, self.imports, self.channel = names, imports, channel
        self.pid = os.getpid()
        # What the program has done about interrupts holds while it runs.
        self.handler = signal.default_int_handler
        self.memory = resource.getrlimit(resource.RLIMIT_DATA)
        # Made beforehand: when it is called there may be no memory.
        self.lift = functools.partial(resource.setrlimit, resource.RLIMIT_DATA, (self.memory[1], self.memory[1]))
        self.flush_c = flush_of_c()
        self.hush()

    def serve(self):
        while True:
            kind, content, stdin = self.channel.next_call()
            if kind == CALL:
                self.call(content, stdin)
            else:
                self.answer(content)

    def call(self, content, stdin):
        os.dup2(stdin, 0)
        os.close(stdin)
        header, _, source = content.partition(b"\0")
        header = json.loads(header)
        path, before = header["name"], used()
        error = self.run(self.run_cell, source, path, header["tools"])
        status = 0 if error is None else self.status(error, path)
        del error
        lost = not flush(sys.stdout)
        flush(sys.stderr)
        self.flush_c()
        if os.getpid() != self.pid:
            # A fork of it, which ends as it would have ended a script.
            os._exit(status)
        after = used()
        told = {
            "call": header["number"],
            "code": 120 if lost else status,
            "cpu_us": int((after.cpu - before.cpu) * 1e6),
            "peak_bytes": after.peak_bytes,
        }
        self.channel.send(self.channel.report, CALLED, json.dumps(told).encode())

    def run_cell(self, source, path, tools):
        try:
            value = _pyexec_session.call(source, path, self.names, tools, True)
            # As with the interactive prompt, None is no result.
            if value is not None:
                self.tell(result=printable(repr(value)))
                text = as_json(value)
                if text is not None and len(text) < ANSWER_BYTES_MAX:
                    self.tell(result_json=text)
        finally:
            if os.getpid() == self.pid and "matplotlib._pylab_helpers" in sys.modules:
                figures = self.imports.figures()
                figures.tell_open()
                figures.tell.count = 0

    def run(self, function, *args):
        """Calls code of the program's, which an interrupt ends; returns the exception that it raised."""
        try:
            try:
                signal.signal(signal.SIGINT, self.handler)
                self.channel.send(self.channel.report, HEARS)
                self.limit_memory()
                function(*args)
            finally:
                # First: to hush may take memory.
                self.lift_memory()
                self.hush()
        except BaseException as error:
            # The interrupt may have come a moment before.
            self.lift_memory()
            self.hush()
            return error
        return None

    def hush(self):
        """Has interrupts say nothing, as there is no call."""
        before = signal.signal(signal.SIGINT, be_silent)
        if before is not be_silent and before is not None:
            self.handler = before

    def limit_memory(self):
        soft, hard = self.memory
        hard = min(hard, resource.getrlimit(resource.RLIMIT_DATA)[1])
        resource.setrlimit(resource.RLIMIT_DATA, (min(soft, hard), hard))

    def lift_memory(self):
        """Lets what is ours have memory when the program has taken all of its own."""
        try:
            self.lift()
        except ValueError:
            pass  # the program has lowered it for good

    def status(self, error, path):
        """Prints and reports an exception that ends a call; returns the exit status."""
        try:
            if isinstance(error, SystemExit):
                return exit_status(error)
            _pyexec_cell.hide_frames(error, path)
            sys.last_type, sys.last_value, sys.last_traceback = type(error), error, error.__traceback__
            sys.last_exc = error
            return completed(uncaught(error, path, self.channel.report))
        except SystemExit as end:
            return exit_status(end)

    def answer(self, content):
        question = json.loads(content)
        answers = []

        def ask():
            answers.append(_pyexec_session.answer(self.names, question["name"], question["arguments"]))

        error = self.run(ask)
        answer = answers[0].encode() if error is None else b"null"
        flush(sys.stdout)
        flush(sys.stderr)
        self.channel.send(self.channel.report, ANSWER, answer if len(answer) < ANSWER_BYTES_MAX else b"null")

    def tell(self, **what):
        if os.getpid() == self.pid:
            self.channel.send(self.channel.report, REPORT, json.dumps(what).encode())


class Used:
    def __init__(self):
        own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
        self.cpu = own.ru_utime + own.ru_stime + others.ru_utime + others.ru_stime
        self.peak_bytes = own.ru_maxrss << 10


used = Used


def be_silent(*_):
    """Handles a signal by nothing. To ignore it would be inherited by programs that are started."""


def completed(steps):
    """What a generator returns; what it yields is dropped."""
    while True:
        try:
            next(steps)
        except StopIteration as end:
            return end.value


def exit_status(error):
    """As the interpreter has it."""
    if error.code is None:
        return 0
    if isinstance(error.code, int):
        return error.code & 0xFF
    try:
        print(error.code, file=sys.stderr)
    except Exception:
        pass  # closed, or no file
    return 1


def flush(file):
    """Whether all is written that was printed."""
    try:
        if file is not None and not file.closed:
            file.flush()
    except Exception:
        return False
    return True


def flush_of_c():
    """What writes all that C code has printed."""
    try:
        import ctypes

        function = ctypes.CDLL(None).fflush
    except (ImportError, OSError, AttributeError):
        return lambda: None
    return lambda: function(None)
