import functools
import io
import operator
import sys
import warnings


def parse(text):
    try:
        return int(text) / len(text.strip("0"))
    except ValueError, TypeError:
        return "bad value"
    except ZeroDivisionError:
        return "zero"


print([parse(x) for x in ("12", "x", "0", "10")])


def noisy():
    with warnings.catch_warnings(record=True) as w:
        warnings.simplefilter("always")
        exec(compile("def f():\n    try:\n        1/0\n    finally:\n        return 5\nprint(f())", "<finally>", "exec"))
        print([str(x.message) for x in w], [x.category.__name__ for x in w])


noisy()
try:
    raise ExceptionGroup("g", [ValueError(1), TypeError(2)])
except* ValueError, TypeError:
    print("both caught")
print(functools.reduce(operator.sub, [1, 2], initial=10), operator.is_none(None), operator.is_not_none(0))
print(map(lambda a, b: a + b, [1], [2], strict=True).__next__())
try:
    list(map(lambda a, b: a, [1], [1, 2], strict=True))
except ValueError as e:
    print("ValueError:", e)
print(float.from_number(3), complex.from_number(2.5), int("ff", 16))
print(repr(memoryview(b"x").__class_getitem__(int)), bytes.fromhex(b"c0 ff"))
for src in ("whille True: pass", "elif x: pass", "f(a=1, 2)", "with open(x) as 1: pass", "'abc' + \"def", "x = 5 if True", "forr x in y: pass", "import a.b as c.d"):
    try:
        compile(src, "<s>", "exec")
    except SyntaxError as e:
        print(repr(src), "->", e.msg)
try:
    {[1]: 2}
except TypeError as e:
    print(e)
try:
    None.foo
except AttributeError as e:
    print(e)
print(sys.version_info[:2], sys.implementation.name, NotImplemented is NotImplemented)
try:
    bool(NotImplemented)
except TypeError as e:
    print(e)
