#: promise = "A stdout object whose methods raise does not keep the job from ending"
#: outcome = ["completed"]
#: stderr_has = ["before"]
import sys


class Hostile:
    def __getattribute__(self, name):
        raise SystemError("hostile")

    def __del__(self):
        raise SystemError("hostile")


print("before", file=sys.stderr, flush=True)
sys.stdout = Hostile()
try:
    print("text")
except SystemError:
    pass
sys.stderr = sys.stdin = sys.__stdout__ = sys.__stderr__ = sys.stdout
