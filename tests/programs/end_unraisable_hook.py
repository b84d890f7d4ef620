import sys


def hook(info):
    print("hook:", info.exc_traceback is not None, info.exc_type.__name__, info.exc_value, getattr(info.object, "__qualname__", type(info.object).__name__))


class Res:
    def __init__(self, n):
        self.n = n

    def __del__(self):
        raise RuntimeError(f"res {self.n}")


def gen():
    try:
        yield 1
    finally:
        raise KeyError("in generator finally")


sys.unraisablehook = hook
r = Res(1)
del r
g = gen()
next(g)
del g
sys.unraisablehook = sys.__unraisablehook__
print("default hook again")
print(sys.unraisablehook is sys.__unraisablehook__)
r = Res(2)
del r
print("end")
