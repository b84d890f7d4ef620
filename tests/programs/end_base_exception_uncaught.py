import contextlib


class Abort(BaseException):
    """Not an Exception, so normal handlers skip it."""


def guarded(fn):
    try:
        return fn()
    except Exception as e:
        return f"guarded {type(e).__name__}"


def abort():
    raise Abort("stop everything")


print(guarded(lambda: 1 / 0))
with contextlib.suppress(Exception):
    [].pop()
    print("not here")
try:
    guarded(abort)
except Abort as e:
    print("explicit handler", e, isinstance(e, Exception))
with contextlib.suppress(Exception):
    guarded(abort)
print("unreachable")
