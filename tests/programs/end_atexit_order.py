import atexit
import sys


@atexit.register
def first():
    print("registered first, runs last")


def with_args(a, *, b):
    print("with args", a, b)


def failing():
    print("about to fail")
    raise LookupError("from atexit")


def removed():
    print("never")


atexit.register(with_args, 1, b=2)
atexit.register(failing)
atexit.register(removed)
atexit.register(print, "printed", "by", "atexit", sep="-")
atexit.register(lambda: atexit.register(print, "registered during exit"))
atexit.unregister(removed)
print("main done")
sys.exit(6)
