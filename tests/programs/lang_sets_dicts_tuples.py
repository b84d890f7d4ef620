a, b = {1, 2, 3, 4}, frozenset({3, 4, 5})
print(sorted(a | b), sorted(a & b), sorted(a - b), sorted(a ^ b), a <= b, {3} < a, a.isdisjoint({9}), type(a | b).__name__, type(b | a).__name__)
s = set("hello")
s.update("xyz")
s.discard("q")
s.difference_update("lo")
print(sorted(s), len(s), {frozenset({1}): "ok"}[frozenset([1])], set() == frozenset(), {1, 1.0, True}, sorted({*range(5)} - {0}))
try:
    s.remove("q")
except KeyError as e:
    print("KeyError", e)
d = {"b": 1, "a": 2}
print(d.setdefault("c", []), d.setdefault("b", 9), d.get("zz"), d.pop("zz", None), list(d), d.popitem(), d)
d.update({"k": 1}, j=2)
print(d, d.items() >= {("k", 1)}, "k" in d.keys(), sorted(d.values()), {v: k for k, v in d.items()}, dict([("x", 1), ("y", 2)], z=3), d | {"b": 0}, list(d.items())[0])
v = d.keys()
d["later"] = 1
print(len(v), list(v)[-1], {**d, "b": "override"}["b"], dict(a=1) == {"a": 1.0})


class Counting(dict):
    def __missing__(self, key):
        self[key] = len(self)
        return self[key]


ids = Counting()
print([ids[w] for w in "to be or not to be".split()], ids)
t = (1, "two", [3])
t[2].append(4)
print(t, t + (5,), t * 2, t.index("two"), t.count(1), (1,) < (1, 0), (1, 2) == [1, 2], tuple("ab"), (), (1,), t[::-1])
try:
    t[2] += [5]
except TypeError as e:
    print("TypeError:", e, t)
l = [3, 1, 2]
l2 = l
l3 = l[:]
l.sort()
print(l, l2, l3, l is l2, l.insert(1, "ins"), l, l.extend((7, 8)), l.pop(0), l.index(8), [[0] * 2] * 2, [1, 2] < [1, 3], [None] * 3, l.copy() == l)
grid = [[0] * 2] * 2
grid[0][0] = 1
print(grid, [1, 2, 3][-2:], [*"ab", *(1, 2)], list(range(5))[::-2], [1, [2, [3]]][1][1][0])
for src in ("{}['x']", "[][0]", "{[]: 1}", "{1: {}}[1]['a']", "(1, 2)[5]", "{1}.add([])", "{}.popitem()", "[1].remove(2)", "dict([1])", "dict([(1, 2, 3)])", "set(5)", "[] < 5", "tuple(5)", "[1] + (2,)", "{} + {}"):
    try:
        exec(src)
        print(src, "ok")
    except Exception as e:
        print(f"{src:20} {type(e).__name__}: {e}")
