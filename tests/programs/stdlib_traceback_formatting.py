import io
import os
import sys
import traceback
import linecache


def inner(n):
    return 1 / n


def middle(n):
    try:
        return inner(n)
    except ZeroDivisionError as e:
        raise ValueError(f"bad n={n}") from e


def mask(text):
    return text.replace(os.getcwd() + os.sep, "")


try:
    middle(0)
except ValueError as exc:
    print(mask(traceback.format_exc()))
    print("only:", traceback.format_exception_only(exc))
    for frame in traceback.extract_tb(exc.__traceback__):
        print(frame.lineno, frame.name, frame.line)
    te = traceback.TracebackException.from_exception(exc, capture_locals=True)
    print(te.exc_type_str, str(te), te.stack[-1].locals, te.__cause__.exc_type_str, te.__suppress_context__)
    buf = io.StringIO()
    traceback.print_exception(exc, limit=1, chain=False, file=buf)
    print(mask(buf.getvalue()))


def recurse(n):
    if n == 0:
        raise RuntimeError("deep")
    recurse(n - 1)


try:
    recurse(10)
except RuntimeError:
    print(mask(traceback.format_exc()))
print([f.name for f in traceback.extract_stack()], sys.exc_info())


def whoami():
    return traceback.extract_stack(limit=2)[-2].name


def caller():
    return whoami()


print(caller(), linecache.getline(__file__, 8).strip(), repr(linecache.getline(__file__, 9999)))
try:
    compile("x = (1,\ny = 2", "<snippet>", "exec")
except SyntaxError as e:
    print("".join(traceback.format_exception_only(e)))
