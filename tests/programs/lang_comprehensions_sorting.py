from itertools import groupby
from operator import itemgetter

matrix = [[1, 2, 3], [4, 5, 6]]
print([[row[i] for row in matrix] for i in range(3)], [x for row in matrix for x in row if x % 2], list(zip(*matrix)))
print({w: len(w) for w in "the quick brown fox".split()}, sorted({c.lower() for c in "Hello World" if c.isalpha()}))
print({k: [v for kk, v in pairs] for k, pairs in groupby(sorted([("b", 1), ("a", 2), ("b", 3)], key=itemgetter(0)), itemgetter(0))})
print([(x, y) for x in range(4) for y in range(x) if (x + y) % 2], sum(1 for _ in (i for i in range(100) if i % 7 == 0)))
print(["fizz" * (i % 3 == 0) + "buzz" * (i % 5 == 0) or i for i in range(1, 16)])

people = [("Ann", 30, "Oslo"), ("Bob", 25, "Rome"), ("Cid", 30, "Rome"), ("Dee", 25, "Oslo"), ("Eve", 35, "Oslo")]
print(sorted(people, key=lambda p: p[1]))
print(sorted(people, key=lambda p: p[1], reverse=True))
print(sorted(people, key=lambda p: (p[2], -p[1])))
people.sort(key=itemgetter(2))
people.sort(key=itemgetter(1), reverse=True)
print([p[0] for p in people])
print(sorted("bAnaNa", key=str.swapcase), sorted([True, 0, 2, False, 1.5]), sorted([(2, "b"), (2, "a"), (1, "z")]), sorted(["10", "9", "2"], key=int))


class Tracked:
    compared = 0

    def __init__(self, v):
        self.v = v

    def __lt__(self, o):
        Tracked.compared += 1
        return self.v < o.v


print([t.v for t in sorted(map(Tracked, [5, 2, 8, 1, 9, 3]))], Tracked.compared)
print(min([], default="none"), max("abc", "abd"), min(people, key=lambda p: p[1])[0], any([]), all([]), list(reversed([1, 2])))
lst = list(range(10))
lst[2:5] = ["x"]
lst[::3] = [0] * len(lst[::3])
del lst[-2:]
print(lst, lst[5:1:-2], lst[:100], lst[-3:])
try:
    lst[::2] = [1]
except ValueError as e:
    print(e)
d = {"z": 1, "a": 2}
d["m"] = d.pop("z")
d |= {"a": 9, "q": 0}
print(d, list(reversed(d)), d.keys() & {"a", "x"}, sorted(d.items(), key=lambda kv: kv[1]), d == {"q": 0, "m": 1, "a": 9}, dict.fromkeys("ab", 0))
try:
    for k in d:
        d[k + "!"] = 1
except RuntimeError as e:
    print(e)
