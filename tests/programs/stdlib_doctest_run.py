"""Module with doctests.

>>> add(2, 3)
5
>>> add("a", 1)
Traceback (most recent call last):
    ...
TypeError: can only concatenate str (not "int") to str
"""
import doctest
import io
from contextlib import redirect_stdout


def add(a, b):
    """Add things.

    >>> add(1, 1)
    2
    >>> add([1], [2])   # doctest: +NORMALIZE_WHITESPACE
    [1,
     2]
    >>> for c in "ab":
    ...     print(c)
    a
    b
    """
    return a + b


def wrong():
    """
    >>> 1 + 1
    3
    >>> print("x" * 50)  # doctest: +ELLIPSIS
    xxx...xxx
    >>> 1 / 0
    """


buf = io.StringIO()
with redirect_stdout(buf):
    results = doctest.testmod(verbose=False)
text = buf.getvalue()
print(results.failed, results.attempted)
for line in text.splitlines():
    if line.startswith("File "):
        line = "File ... " + line.split(", ", 1)[1]
    print("|", line)

finder = doctest.DocTestFinder()
for test in finder.find(add, "add", globs={"add": add}):
    print(test.name, [(e.source.strip(), e.want.strip()) for e in test.examples])
parser = doctest.DocTestParser()
print(parser.get_examples(">>> a = 3\n>>> a\n3\n")[1].source)
print(doctest.script_from_examples("text\n>>> 1 + 1\n2\n"))
