"""What both tiers do alike with a job's code and its value: lines that are no Python, the function to call, JSON.

WebAssembly has this file among its modules, a container's runner among its arguments: it needs Python 3.10, and nothing
but the standard library.
"""
# Now, and not when a value is looked at: the project may have modules of these names.
import json
import re
from collections import Counter, OrderedDict, defaultdict
from enum import Enum

# A line that installs packages: `src/needs/installs.rs` of pyexec has the rule, and what is installed.
INSTALL = re.compile(
    rb"[ \t\f]*[!%][ \t]*(?:sudo[ \t]+)?"
    rb"(?:(?:python[0-9.]*|\{sys\.executable\})[ \t]+-m[ \t]+pip|uv[ \t]+pip|pip[0-9.]*|conda|mamba)[ \t]+install(?=[\s\\]|$)"
)
HARMLESS_MAGIC = re.compile(rb"[ \t\f]*%[ \t]*(?:matplotlib|autoreload|load_ext|config)\b")
MAGIC = re.compile(
    rb"[ \t\f]*(?:[\w., \t]+=[ \t]*)?(?:(!+)[ \t]*(.*?)|(%%?[A-Za-z]\w*)(?:[ \t].*)?)[ \t]*\r?\n?$"
    rb"|[ \t\f]*(?:\?\??([\w.]+)|([\w.]+)\?\??)[ \t]*;?[ \t]*\r?\n?$"
)


# ---- code ----


def without_line(source, path, error, cell):
    """Returns the source without the line at which the compiler has given up, when it is known here; else None.

    That is a line that installs packages, and in a cell one that only sets a notebook up. Of another magic the exception
    tells what to write instead. As the compiler comes upon the line, text that only looks like one is left alone.
    """
    if error.filename != path or not error.lineno:
        return None
    lines = source.splitlines(True)
    first = at = error.lineno - 1
    while at < len(lines) and (INSTALL.match(lines[at]) or cell and HARMLESS_MAGIC.match(lines[at])):
        line = lines[at]
        continued = line.rstrip(b"\r\n").endswith(b"\\")
        lines[at] = line[: len(line) - len(line.lstrip())] + b"pass\n"
        at += 1
        while continued and at < len(lines):
            continued = lines[at].rstrip(b"\r\n").endswith(b"\\")
            lines[at] = b"\n"
            at += 1
    if at > first:
        return b"".join(lines)
    magic = MAGIC.match(lines[at]) if cell and at < len(lines) else None
    if magic is not None:
        error.msg = _advice(*magic.groups())
    return None


def _advice(shell, command, name, before, after):
    if shell:
        command = command.decode("utf-8", "replace")
        return f"no shell commands here; in Python that is subprocess.run({command!r}, shell=True)"
    if name is None:
        return f"no question marks of notebooks here; in Python that is help({(before or after).decode()})"
    return f"no magics of notebooks here: take {name.decode()} out, or write it in Python"


def callee(names, function, arguments):
    """Returns the job's function, and its arguments; `arguments` is JSON: a list, an object of keywords, null or nothing."""
    target = names.get(function)
    if not callable(target):
        what = "is not callable" if function in names else "is not defined"
        raise NameError(f"entry function {function!r} {what}")
    given = json.loads(arguments) if arguments else None
    return (target, (), given) if isinstance(given, dict) else (target, tuple(given or ()), {})


def display(*objects, **options):
    """Shows objects as a notebook does that has only text."""
    for value in objects:
        print(repr(value))


# ---- values ----

DICTIONARIES, SEQUENCES = {dict, OrderedDict, defaultdict, Counter}, {list, tuple}
NUMBERS_AND_TEXT = (int, float, str)
SCALARS = {bool, type(None), *NUMBERS_AND_TEXT}


def as_json(value):
    """Returns the value as JSON, or None where JSON would be another value than the one that `repr` shows.

    Tuples become lists. Keys must be text: JSON has no others. No members of enumerations, and no classes of the
    program's own, named tuples among them: their names would be lost.
    """
    if not _is_faithful(value):
        return None
    try:
        text = json.dumps(value, allow_nan=False, ensure_ascii=False)
        text.encode()
    except (TypeError, ValueError, RecursionError):
        return None
    return text


def _is_shown_as_its_base(kind):
    """Says whether objects of a subclass of a number or of text look like their value: in their class at most."""
    is_of_numpy = kind.__module__.partition(".")[0] == "numpy"
    return not issubclass(kind, Enum) and (is_of_numpy or kind.__repr__ in {base.__repr__ for base in NUMBERS_AND_TEXT})


def _is_faithful(value):
    pending, seen = [value], set()
    while pending:
        value = pending.pop()
        kind = type(value)
        if kind in DICTIONARIES:
            if not set(map(type, value)) <= {str}:
                return False
            items = value.values()
        elif kind in SEQUENCES:
            items = value
        elif kind in SCALARS or isinstance(value, NUMBERS_AND_TEXT) and _is_shown_as_its_base(kind):
            continue
        else:
            return False
        if id(value) not in seen:
            seen.add(id(value))
            if not set(map(type, items)) <= SCALARS:
                pending += items
    return True
