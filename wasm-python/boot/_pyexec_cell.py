"""Compiles a job's code, a script or a cell of a notebook, and puts the tracebacks of its exceptions in order.

Sessions in containers have this file as well: it needs Python 3.10.

A script is plain Python, but for lines that install packages: those are requirements, which have been met by then. A cell,
of which the last expression is the result, may also await at top level, call display(), and set matplotlib up.
"""
import builtins

# The first two for guest.c.
from _pyexec_common import callee, display, without_line
from _pyexec_tier import is_ours

# Since Python 3.11.
GROUPS = getattr(builtins, "BaseExceptionGroup", ())
# PyCF_ONLY_AST and PyCF_ALLOW_TOP_LEVEL_AWAIT: `ast` need not be imported for them.
ONLY_AST, TOP_LEVEL_AWAIT = 0x400, 0x2000
COROUTINE = 0x80
# What the names of a session's cells begin with.
CELL = "<cell "
# As many as the host takes.
FRAMES_MAX = 50


# ---- compiling ----


def compiled(source, path, flags=0, cell=False):
    """Compiles source, without lines that are no Python, but known here."""
    while True:
        try:
            return compile(source, path, "exec", flags, dont_inherit=True)
        except SyntaxError as error:
            changed = without_line(source, path, error, cell)
            if changed is None:
                raise
            source = changed


def split(source, path):
    """The code of all but the last statement, and of the last as an expression, or None when it is not one."""
    if b"\0" in source:
        raise SyntaxError("source code cannot contain null bytes")
    tree = compiled(source, path, ONLY_AST | TOP_LEVEL_AWAIT, cell=True)
    import ast

    last = None
    if tree.body and isinstance(tree.body[-1], ast.Expr):
        last = compile(ast.Expression(tree.body.pop().value), path, "eval", TOP_LEVEL_AWAIT, dont_inherit=True)
    return compile(tree, path, "exec", TOP_LEVEL_AWAIT, dont_inherit=True), last


# ---- running ----


def awaits(code):
    return code is not None and bool(code.co_flags & COROUTINE)


def run_awaiting(first, last, names):
    """Runs both parts in an event loop; returns the value of the second."""
    import asyncio

    with asyncio.Runner() as runner:
        return run_awaiting_in(runner, first, last, names)


def run_awaiting_in(runner, first, last, names):
    """The same in the event loop of a runner."""

    async def cell():
        value = None
        for code in (first, last):
            if code is not None:
                value = eval(code, names)
                if awaits(code):
                    value = await value
        return None if last is None else value

    loop, running = runner.get_loop(), cell()
    with _Beside(loop):
        try:
            return runner.run(running)
        except KeyboardInterrupt:
            # When it comes from between the cell's steps, none of them is to follow in another call.
            from asyncio import tasks

            for task in tasks.all_tasks(loop):
                if task.get_coro() is running:
                    task.cancel()
            raise


class _Beside:
    """Lets code in an event loop run another one, as it could if it were not in one: asyncio.run(), for instance."""

    def __init__(self, loop):
        self.loop, self.originals = loop, []

    def __enter__(self):
        from asyncio import base_events, runners
        import asyncio

        loop_type = base_events.BaseEventLoop
        runner_type = getattr(runners, "Runner", None)  # since Python 3.11
        for owner, name in (
            *([(runner_type, "run")] if runner_type else ()), (runners, "run"), (asyncio, "run"),
            (loop_type, "run_until_complete"), (loop_type, "run_forever"),
        ):
            original = getattr(owner, name)
            self.originals.append((owner, name, original))
            setattr(owner, name, self.beside(original))

    def __exit__(self, *error):
        for owner, name, original in self.originals:
            setattr(owner, name, original)

    def beside(self, original):
        import functools
        from asyncio import events, tasks

        @functools.wraps(original)
        def run(*args, **options):
            loop = events._get_running_loop()
            if loop is not self.loop or args and args[0] is loop:
                return original(*args, **options)
            task = tasks.current_task(loop)
            tasks._leave_task(loop, task)
            events._set_running_loop(None)
            try:
                return original(*args, **options)
            finally:
                events._set_running_loop(loop)
                tasks._enter_task(loop, task)

        return run


def wait_for(coroutine):
    import asyncio

    return asyncio.run(coroutine)


# ---- exceptions ----


def hide_frames(error, path):
    """Takes frames of ours out of the tracebacks of an exception and those before it."""
    seen, pending = set(), [error]
    while pending:
        error = pending.pop()
        if error is None or id(error) in seen:
            continue
        seen.add(id(error))
        pending += (error.__cause__, error.__context__)
        if isinstance(error, GROUPS):
            pending += error.exceptions
        first = error.__traceback__
        if first is not None and is_ours(first.tb_frame.f_code.co_filename):
            # What is between ours and the script's is the event loop that we have started.
            frame = first
            while frame is not None and frame.tb_frame.f_code.co_filename != path:
                frame = frame.tb_next
            first = first if frame is None else frame
        while first is not None and is_ours(first.tb_frame.f_code.co_filename):
            first = first.tb_next
        error.__traceback__ = frame = first
        while frame is not None:
            while frame.tb_next is not None and is_ours(frame.tb_next.tb_frame.f_code.co_filename):
                frame.tb_next = frame.tb_next.tb_next
            frame = frame.tb_next


def frames_of_project(error, folder):
    """The innermost frames of the job's own files: file, line and function of each, with NUL between all of them."""
    frames, frame = [], error.__traceback__
    while frame is not None:
        code = frame.tb_frame.f_code
        frames.append((code.co_filename, frame.tb_lineno, code.co_name))
        frame = frame.tb_next
    if isinstance(error, SyntaxError) and isinstance(error.filename, str):
        frames.append((error.filename, error.lineno, "<module>"))
    own = [
        (path.removeprefix(folder), line, function)
        for path, line, function in frames
        if path.startswith((folder, CELL)) and isinstance(line, int)
    ]
    return "\0".join(f"{path}\0{line}\0{function}" for path, line, function in own[-FRAMES_MAX:])
