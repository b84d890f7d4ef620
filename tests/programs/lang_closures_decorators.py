import functools


def counter(start=0):
    count = start

    def inc(by=1):
        nonlocal count
        count += by
        return count

    def peek():
        return count

    return inc, peek


inc, peek = counter(10)
print(inc(), inc(5), peek(), counter()[0](), inc.__closure__[0].cell_contents, inc.__code__.co_freevars)
print([f() for f in [lambda: i for i in range(3)]], [f() for f in [lambda i=i: i for i in range(3)]])


def log(prefix="", *, times=1):
    def deco(fn):
        @functools.wraps(fn)
        def wrapper(*args, **kw):
            print(f"{prefix}{fn.__name__}({', '.join([*map(repr, args), *(f'{k}={v!r}' for k, v in kw.items())])})")
            for _ in range(times):
                result = fn(*args, **kw)
            return result
        wrapper.calls = times
        return wrapper
    return deco


class Memo:
    def __init__(self, fn):
        functools.update_wrapper(self, fn)
        self.fn, self.cache = fn, {}

    def __call__(self, *args):
        if args not in self.cache:
            self.cache[args] = self.fn(*args)
        return self.cache[args]

    def __get__(self, obj, owner=None):
        return functools.partial(self, obj) if obj is not None else self


@log("> ", times=2)
@log("  inner ")
def add(a, b=2):
    """Adds."""
    return a + b


@Memo
def ways(n):
    return 1 if n < 2 else ways(n - 1) + ways(n - 2)


print(add(1, b=5), add.__name__, add.__doc__, add.calls)
print(ways(60), len(ways.cache), ways.__name__)


def register(cls):
    cls.registered = True
    return cls


@register
class Thing:
    @log("method ")
    def run(self, x):
        return x * 2

    def __repr__(self):
        return "Thing()"


print(Thing().run(4), Thing.registered)


print(Thing.run.__name__, add.__wrapped__.__name__)
