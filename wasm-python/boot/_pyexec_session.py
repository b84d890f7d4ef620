"""Runs the calls of a session in the same names, as a notebook runs its cells, and answers what is asked about them.

WebAssembly has this file in its snapshot, a container's runner among its arguments: it needs Python 3.10. Nothing here is
used by a job that is not a session.
"""
import sys

import _pyexec_cell
import _pyexec_display
import _pyexec_tier
import _pyexec_tools

# As many as are told of, and of the text of each.
VARIABLES_MAX, TEXT_MAX = 1000, 200
COMPLETIONS_MAX = 200
# PyCF_ALLOW_INCOMPLETE_INPUT and PyCF_DONT_IMPLY_DEDENT.
ALLOW_INCOMPLETE_INPUT, DONT_IMPLY_DEDENT = 0x4000, 0x200
# What every namespace has before the first call.
HIDDEN = frozenset(("__name__", "__doc__", "__package__", "__loader__", "__spec__", "__builtins__", "_", "display"))

_runner = None


def call(source, path, names, tools, new_stdin):
    """Runs a cell; its value is the last expression's."""
    if new_stdin:
        sys.stdin = sys.__stdin__ = open(0, encoding="utf-8", errors="surrogateescape", closefd=False)
    if tools or _pyexec_tools.are_offered():
        _pyexec_tools.offer(tools or "[]", names)
    names.setdefault("display", _pyexec_display.display)
    remember(source, path)
    first, last = _pyexec_cell.split(source, path)
    if _pyexec_cell.awaits(first) or _pyexec_cell.awaits(last):
        value = _await(first, last, names)
    else:
        exec(first, names)
        value = None if last is None else eval(last, names)
    if value is not None:
        names["_"] = value
        _pyexec_display.show_value(value)
    return value


def remember(source, path):
    """Has tracebacks and `inspect` find the lines of a cell."""
    import linecache

    text = source.decode("utf-8", "replace")
    if not text.endswith("\n"):
        text += "\n"
    linecache.cache[path] = (len(text), None, text.splitlines(True), path)


def _await(first, last, names):
    """Runs a cell that awaits in the session's event loop, whose tasks go on while one does."""
    global _runner
    import asyncio

    if _runner is None:
        _runner = getattr(asyncio, "Runner", Runner)()
    return _pyexec_cell.run_awaiting_in(_runner, first, last, names)


class Runner:
    """As much of `asyncio.Runner` as is needed, which Python 3.10 does not have."""

    def __init__(self):
        import asyncio

        self.loop = asyncio.new_event_loop()

    def get_loop(self):
        return self.loop

    def run(self, coroutine):
        import asyncio

        asyncio.set_event_loop(self.loop)
        task = self.loop.create_task(coroutine)
        try:
            return self.loop.run_until_complete(task)
        except KeyboardInterrupt:
            if not task.done():
                task.cancel()
                self.loop.run_until_complete(asyncio.gather(task, return_exceptions=True))
            raise


# ---- questions ----


def answer(names, question, arguments):
    """Answers a question of the host, as JSON."""
    import json

    given = json.loads(arguments) if arguments else {}
    return json.dumps(QUESTIONS[question](names, **given))


def variables(names):
    """Name, type, size in bytes and a short text of each variable."""
    found = []
    for name, value in list(names.items()):
        if name in HIDDEN or name.startswith("__") or len(found) == VARIABLES_MAX:
            continue
        kind = type(value)
        found.append({"name": name, "type": _name(kind), "size": _size(value), "repr": _text(value)})
    return found


def _name(kind):
    return kind.__qualname__ if kind.__module__ in ("builtins", "__main__") else f"{kind.__module__}.{kind.__qualname__}"


def _size(value):
    try:
        return sys.getsizeof(value, 0)
    except Exception:
        return 0


def _text(value):
    """A short text, which neither takes long nor runs code of the program."""
    if isinstance(value, (bool, int, float, complex, str, bytes, type(None))) and type(value).__module__ == "builtins":
        if isinstance(value, (str, bytes)):
            value = value[:TEXT_MAX]
        elif isinstance(value, int) and value.bit_length() > 3 * TEXT_MAX:
            return "<a large int>"
        return repr(value)[:TEXT_MAX].encode("utf-8", "backslashreplace").decode()
    if type(value) in (list, tuple, dict, set, frozenset):
        return f"<{len(value)} items>"
    name = getattr(value, "__name__", None) if isinstance(value, (type, type(sys), type(_text))) else None
    return f"<{name}>" if isinstance(name, str) else ""


def complete(names, code, at):
    """What may stand at a place in a text: the text to replace begins at `start`."""
    import rlcompleter

    before = code[: max(at, 0)]
    start = len(before)
    while start > 0 and (before[start - 1].isalnum() or before[start - 1] in "_."):
        start -= 1
    word = before[start:]
    completer, matches = rlcompleter.Completer(names), []
    for state in range(COMPLETIONS_MAX if word else 0):
        match = completer.complete(word, state)
        if match is None:
            break
        matches.append(match.removesuffix("()").removesuffix("("))
    return {"start": start, "matches": list(dict.fromkeys(matches))}


def is_complete(names, code):
    """Whether a text is a whole cell: `complete`, `incomplete` or `invalid`, and how its next line is indented."""
    lines = code.splitlines()
    last = lines[-1] if lines else ""
    indent = last[: len(last) - len(last.lstrip())] + ("    " if last.rstrip().endswith(":") else "")
    flags = _pyexec_cell.TOP_LEVEL_AWAIT | DONT_IMPLY_DEDENT
    if sys.version_info < (3, 11):
        return _is_complete_by_lines(code, flags, indent)
    flags |= ALLOW_INCOMPLETE_INPUT
    # With a line more, what only lacks its end is another error than what is none.
    for text in (code, code + "\n"):
        try:
            compile(text, "<input>", "exec", flags, dont_inherit=True)
        except SyntaxError as error:
            # Before Python 3.13 only the message says it.
            if type(error).__name__ == "_IncompleteInputError" or error.msg == "incomplete input":
                return {"status": "incomplete", "indent": indent}
            continue
        except (ValueError, OverflowError, MemoryError):
            break
        if text is not code or last[:1] in ("", " ", "\t") and last.strip() and not code.endswith("\n\n"):
            return {"status": "incomplete", "indent": indent}
        return {"status": "complete", "indent": ""}
    return {"status": "invalid", "indent": ""}


def _is_complete_by_lines(code, flags, indent):
    """The same for a compiler that does not say itself what only lacks its end."""
    import codeop

    compiler = codeop.Compile()
    compiler.flags = flags
    lines = code.splitlines()
    try:
        whole = codeop._maybe_compile(compiler, code, "<input>", "exec") is not None
    except (SyntaxError, ValueError, OverflowError, MemoryError):
        return {"status": "invalid", "indent": ""}
    if not whole or lines and lines[-1][:1] in (" ", "\t") and lines[-1].strip() and not code.endswith("\n\n"):
        return {"status": "incomplete", "indent": indent}
    return {"status": "complete", "indent": ""}


def inspect(names, code, at):
    """What is known of the object named at a place in a text."""
    import pydoc

    start = end = min(max(at, 0), len(code))
    while start > 0 and (code[start - 1].isalnum() or code[start - 1] in "_."):
        start -= 1
    while end < len(code) and (code[end].isalnum() or code[end] == "_"):
        end += 1
    parts = code[start:end].strip(".").split(".")
    scope = {**vars(__import__("builtins")), **names}
    if parts[0] not in scope:
        return {"found": False, "text": ""}
    value = scope[parts[0]]
    for part in parts[1:]:
        try:
            value = getattr(value, part)
        except Exception:
            return {"found": False, "text": ""}
    try:
        text = pydoc.plain(pydoc.render_doc(value, "%s"))
    except Exception:
        text = type(value).__name__
    return {"found": True, "text": text[:20_000].encode("utf-8", "backslashreplace").decode()}


def reseed(names):
    """Has generators that the system has seeded do so again: no copy of a session draws what another one draws."""
    import gc
    import random

    for generator in (random._inst, *gc.get_objects()):
        if isinstance(generator, random.Random) and not isinstance(generator, random.SystemRandom):
            _pyexec_tier.seed_later(generator)


QUESTIONS = {
    function.__name__: function for function in (variables, complete, is_complete, inspect, reseed)
}
