import functools
from functools import cache, cached_property, lru_cache, partial, partialmethod, reduce, singledispatch, total_ordering, wraps


@lru_cache(maxsize=3)
def square(n):
    print("  computing", n)
    return n * n


print([square(n) for n in (1, 2, 3, 1, 4, 2)], square.cache_info(), square.cache_parameters())


@cache
def fib(n):
    return n if n < 2 else fib(n - 1) + fib(n - 2)


print(fib(200), fib.cache_info())


@singledispatch
def show(x):
    return f"object:{x}"


@show.register
def _(x: int | float):
    return f"number:{x}"


@show.register(list)
def _(x):
    return "[" + ", ".join(map(show, x)) + "]"


print(show([1, "a", 2.5, [None, True]]), show.dispatch(bool) is show.dispatch(int))


@total_ordering
class Version:
    def __init__(self, s):
        self.parts = tuple(map(int, s.split(".")))

    def __eq__(self, o):
        return self.parts == o.parts

    def __lt__(self, o):
        return self.parts < o.parts

    @cached_property
    def major(self):
        print("  major computed")
        return self.parts[0]

    bump = partialmethod(lambda self, by: ".".join(map(str, (self.parts[0] + by, *self.parts[1:]))), 1)


v = Version("3.14")
print(v >= Version("3.9"), v.major, v.major, v.bump(), vars(v))
print(reduce(lambda a, b: a * 10 + b, [1, 2, 3, 4], 0), partial(int, base=2)("1010"))
print(partial(print, functools.Placeholder, "b", sep="-").func is print, partial("{} {} {}".format, functools.Placeholder, 2)(1, 3))
print(sorted(["bb", "A", "c"], key=functools.cmp_to_key(lambda a, b: (a.lower() > b.lower()) - (a.lower() < b.lower()))))


def trace(fn):
    @wraps(fn)
    def inner(*a):
        return fn(*a)
    return inner


@trace
def documented(a):
    "doc here"


print(documented.__name__, documented.__doc__, documented.__wrapped__.__name__)
