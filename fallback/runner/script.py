"""Runs the job's script as `python main.py` does, and reports its value or its exception."""
import builtins
import errno
import functools
import os
import sys
import time

import _frozen_importlib_external

from _pyexec_common import as_json, callee, display, without_line
from frames import tell
from image import use_user_site
from imports import MissingFinder
from load import FRESH
from project import WORK
from stack import at_the_bottom, hide_ours, without_ours

# For `compile`: a tree, and code that may await at its top.
AST, AWAITING = 0x400, 0x2000
# What the names of a session's cells begin with.
CELL = "<cell "
# As many as the host takes.
FRAMES_MAX = 50


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
    adapt(job, os.path.dirname(path))
    module = type(sys)("__main__")
    module.__loader__ = _frozen_importlib_external.SourceFileLoader("__main__", path)
    module.__builtins__ = builtins
    module.__file__ = path
    module.__cached__ = None
    sys.modules["__main__"] = module
    return vars(module)


def adapt(job, folder):
    """Makes arguments, environment and paths those of the job, whose modules are in that folder."""
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


def forget(beside):
    """Forgets modules that the runner has imported and the script has its own of."""
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
    """Compiles source, without lines that are no Python, but known here."""
    while True:
        try:
            return (yield from at_the_bottom(compile, source, path, "exec", flags, True))
        except SyntaxError as error:
            changed = without_line(source, path, error, cell)
            if changed is None:
                raise
            source = changed


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
    """Calls the job's function, and waits for what it returns when that is a coroutine."""
    target, arguments, keywords = callee(names, function, arguments)
    value = yield from at_the_bottom(functools.partial(target, *arguments, **keywords))
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
    own = [frame for frame in frames if frame[0].startswith((WORK + "/", CELL)) and isinstance(frame[1], int)]
    return "\0".join(f"{path.removeprefix(WORK + '/')}\0{line}\0{function}" for path, line, function in own[-FRAMES_MAX:])


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
