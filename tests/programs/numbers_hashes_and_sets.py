"""Hashes that do not depend on the hash secret, and the order of sets that follows from them."""
import collections
import datetime
import decimal
import fractions
import functools
import sys
import time
import uuid

print(sys.hash_info)
numbers = [0, 1, -1, -2, 2**31 - 1, 2**31, -(2**31), 2**61 - 2, 2**61 - 1, 2**61, 2**63, 2**64, 10**30, -(10**30)]
numbers += [1.5, 0.1, -2.5, 1e300, 5e-324, float("inf"), float("-inf"), 3 + 4j, 1j, -1j, complex(0.5, -0.25), True]
numbers += [fractions.Fraction(1, 3), fractions.Fraction(-7, 5), fractions.Fraction(1, 2**61 - 1), fractions.Fraction(2**70, 3)]
numbers += [decimal.Decimal(text) for text in ("1.1", "-0.3", "1e50", "1e-50", "Infinity", "12345678901234567890.5")]
for number in numbers:
    print(repr(number), hash(number))
for value in [(), (1,), (1, 2), (2, 1), (1, (2, (3, 4.5))), frozenset(), frozenset([1, 2, 3]), frozenset([(1, 2), (3, 4)]),
              range(0), range(10), range(0, 10**20, 7), datetime.timedelta(5, 7), uuid.UUID(int=2**100 + 5), slice(1, 2, 3),
              time.struct_time((2024, 1, 1, 0, 0, 0, 0, 1, 0)), collections.namedtuple("P", "x y")(1, 2)]:
    print(repr(value), hash(value))

print({(x, y) for x in range(5) for y in range(5)})
print({0.5, 1.1, 2.2, 3.3, 100.25}, {1e10, 1e-5, 3, 2.5, -0.0})
print({-1, -2, -3, 7, 2**31, 2**33, 10**10, 2**64}, set(range(-10, 10)), {i * i for i in range(30)})
print({frozenset([i, i + 1]) for i in range(6)}, {fractions.Fraction(1, n) for n in range(1, 12)})
print({decimal.Decimal(n) / 7 for n in range(9)}, {complex(i, j) for i in range(3) for j in range(3)})
print({datetime.timedelta(hours=h) for h in range(0, 100, 13)})
edges = {(i, i * i % 7) for i in range(20)}
print(edges.pop(), edges.pop(), list(edges), edges - {(1, 1), (2, 4)}, edges & {(5, 4), (6, 1)}, edges | {(99, 99)}, sep="\n")
edges.discard((3, 2))
edges.update((n, -n) for n in range(40))
print(sorted(edges)[:3], next(iter(edges)), len(edges))
print(frozenset([(0, 1), (1, 0), (1, 1)]), set.union({(1, 2)}, {(3, 4)}, {(5, 6)}))
print([hash((i, j)) % 16 for i in range(4) for j in range(4)], hash((0.5, -1, 2**70)) % 1000)


class Key:
    def __init__(self, value):
        self.value = value

    def __hash__(self):
        return self.value

    def __eq__(self, other):
        return isinstance(other, Key) and self.value == other.value

    def __repr__(self):
        return f"Key({self.value})"


for value in (2**31, 2**61, 2**63 - 1, 2**63, -(2**63), 10**30, -1):
    print(value, hash(Key(value)))
print({Key(value) for value in (8, 2**32, 2**33 + 1, 2**40 + 8, -1, 3)})


@functools.lru_cache(maxsize=None)
def paths(point):
    return 1 if 0 in point else paths((point[0] - 1, point[1])) + paths((point[0], point[1] - 1))


print(paths((12, 9)), paths.cache_info())
