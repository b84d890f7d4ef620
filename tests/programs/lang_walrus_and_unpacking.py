import re

data = [3, 8, 1, 9, 4]
print([y for x in data if (y := x * 2) > 5], y)
if (n := len(data)) > 3 and (m := max(data)):
    print(n, m)
total = 0
print([total := total + x for x in data])
while (chunk := data[:2]):
    print("chunk", chunk)
    data = data[2:]
if m := re.search(r"(\d+)-(\d+)", "pages 10-25"):
    print(m.groups())

first, *middle, last = range(6)
print(first, middle, last)
(a, (b, *c)), d = (1, (2, 3, 4)), 5
print(a, b, c, d)
*init, = "abc"
print(init, [*range(3), *"xy"], {**{"a": 1}, "b": 2, **{"a": 3}}, (*[], 1), {*[1, 1, 2]})
x, y = 1, 2
x, y = y, x
i, lst = 0, [10, 20, 30]
i, lst[i] = 2, 99
print(x, y, i, lst)


def f(a, /, b, *args, c=10, **kw):
    return a, b, args, c, kw


print(f(1, 2), f(1, *[2, 3, 4], c=5), f(1, b=2, a=3), f(*"ab", **{"c": 0, "d": 1}), f(1, *(2,), *(3, 4), **{"z": 1}, **{"y": 2}))
for bad in ("f()", "f(a=1, b=2)", "f(1, 2, b=3)", "f(1, 2, **{'c': 1}, **{'c': 2})", "a, b = 1, 2, 3", "a, b, *c = [1]", "a, b = 5", "f(*5)", "f(**[1])"):
    try:
        exec(bad)
    except (TypeError, ValueError) as e:
        print(f"{bad:35} {type(e).__name__}: {e}")
for idx, (key, (lo, hi)) in enumerate({"k": (1, 2), "j": (3, 4)}.items(), start=1):
    print(idx, key, lo, hi)


def g():
    rest = [2, 3]
    return 1, *rest


print(g(), max(*[4, 9, 2]), dict(zip("abc", range(3))), list(zip(*[(1, 2), (3, 4), (5, 6)])))
