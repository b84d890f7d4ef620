"""sys.getsizeof as on 64-bit Linux."""
import array
import collections
import datetime
import decimal
import enum
import functools
import io
import itertools
import sys
import weakref
from sys import getsizeof


class Plain:
    def __init__(self):
        self.x = 1


class Slots:
    __slots__ = ("a", "b", "c")


class SlotsAndReference:
    __slots__ = ("a", "__weakref__")


class Numbers(list):
    pass


class Whole(int):
    pass


class Pair(tuple):
    __slots__ = ()


class Failure(ValueError):
    pass


class Colour(enum.Enum):
    RED = 1


Point = collections.namedtuple("Point", "x y")


def generator():
    a, b = 1, 2
    yield a + b


async def coroutine():
    pass


growing = []
sizes = []
for i in range(100):
    growing.append(i)
    sizes.append(getsizeof(growing))
print(sizes)
print([getsizeof(dict.fromkeys(range(n))) for n in range(0, 60, 5)], [getsizeof({str(i): i for i in range(n)}) for n in range(0, 60, 5)])
print([getsizeof(set(range(n))) for n in range(0, 60, 5)], [getsizeof(frozenset(range(n))) for n in range(0, 60, 20)])
print([getsizeof(n) for n in (0, 1, -1, 2**30, 2**60, 2**100, -(2**1000), True, 1.5, 2j)])
print([getsizeof(text) for text in ("", "a", "hello world", "é", "éa", "€", "日本語", "😀", "x" * 1000)])
print([getsizeof(data) for data in (b"", b"abc", bytearray(), bytearray(b"abc"), bytearray(100), memoryview(b"abc"))])
print([getsizeof(items) for items in ((), (1,), (1, 2, 3), [], [1], [1, 2, 3], [None] * 10, list(range(20)), {}, {1: 2}, {"a": 1}, set())])
print([getsizeof(value) for value in (None, ..., NotImplemented, object(), range(10), slice(3), len, print, "".join, int, object, type)])
print([getsizeof(value) for value in (Plain(), Slots(), SlotsAndReference(), Numbers([1]), Whole(5), Pair((1, 2)), Point(1, 2), Failure())])
print([getsizeof(value) for value in (Colour.RED, generator(), (x for x in growing), generator, lambda: 0, Plain().__init__, Plain.__init__)])
print([getsizeof(value) for value in (iter([]), iter(()), iter({}), iter(set()), iter(range(3)), iter(""), reversed([]), enumerate([]), zip(), zip([1], [2]))])
print([getsizeof(value) for value in (map(str, []), filter(None, []), {}.keys(), {}.values(), {}.items(), iter({}.items()))])
print([getsizeof(value) for value in (collections.deque(), collections.deque(range(1000)), collections.OrderedDict(a=1, b=2), collections.Counter("abc"))])
print([getsizeof(value) for value in (collections.defaultdict(int), collections.ChainMap(), array.array("i", range(10)), array.array("d"))])
print([getsizeof(value) for value in (decimal.Decimal("1.5"), decimal.Decimal(10**100), datetime.datetime(2024, 1, 1), datetime.date(2024, 1, 1))])
print([getsizeof(value) for value in (datetime.timedelta(1), datetime.time(1), datetime.timezone.utc, io.StringIO(), io.BytesIO(b"abc"))])
print([getsizeof(value) for value in (ValueError(), KeyError("x"), OSError(), StopIteration(), property(), staticmethod(len), classmethod(len))])
print([getsizeof(value) for value in (itertools.count(), itertools.cycle([]), itertools.chain(), itertools.product([1], [2]), itertools.islice([], 1))])
print([getsizeof(value) for value in (functools.partial(len), functools.lru_cache(len), weakref.ref(Plain), Plain, sys, sys.version_info)])
print([value.__sizeof__() for value in ([], [1, 2], (), (1,), {}, "", b"", 5, 2.5, set(), object(), Plain())])
grown = {}
print([(grown.__setitem__(i, i), getsizeof(grown))[1] for i in range(45)])
words = "the quick brown fox".split()
print(getsizeof(words), sum(map(getsizeof, words)), getsizeof([i for i in range(10**4)]), getsizeof(tuple(range(10**4))), getsizeof(range(10**9)))
print(getsizeof(list("abc")), getsizeof([*range(5)]), getsizeof([1, 2] * 3), getsizeof([1, 2, 3][:2]), getsizeof({**{"a": 1}}), getsizeof({1, 2, 3}))
print([(kind.__basicsize__, kind.__itemsize__) for kind in (object, int, bool, Whole, float, str, bytes, tuple, Pair, list, Numbers, dict, type, Slots, Plain, Failure)])
