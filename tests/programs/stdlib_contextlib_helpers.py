import io
import contextlib
from contextlib import contextmanager, ExitStack, suppress, redirect_stdout, closing, nullcontext, chdir, ContextDecorator
import os


@contextmanager
def section(name):
    print(f"<{name}>")
    try:
        yield name.upper()
    except ValueError as e:
        print("swallowed", e)
    finally:
        print(f"</{name}>")


with section("a") as up, section("b"):
    print("body", up)
    raise ValueError("boom")

buf = io.StringIO()
with redirect_stdout(buf):
    print("hidden")
print("captured", repr(buf.getvalue()))

with suppress(FileNotFoundError, KeyError):
    os.remove("nope.txt")
    print("unreachable")

with ExitStack() as stack:
    for i in range(3):
        stack.enter_context(section(f"s{i}"))
    stack.callback(print, "callback", sep="!")
    stack.push(lambda *exc: print("push saw", exc[0]) or True)
    raise KeyError("absorbed")


class Once(ContextDecorator):
    def __enter__(self):
        print("enter")

    def __exit__(self, *exc):
        print("exit", exc[0].__name__ if exc[0] else None)


@Once()
def work():
    print("working")


work()
os.mkdir("sub")
with chdir("sub"):
    print(os.path.basename(os.getcwd()))
print(os.path.exists("sub"), nullcontext(5).__enter__())


class Conn:
    def close(self):
        print("closed")


with closing(Conn()) as c:
    print(type(c).__name__)
gen = section("x")
with gen:
    pass
try:
    with gen:
        pass
except (RuntimeError, AttributeError) as e:
    print(type(e).__name__, e)
