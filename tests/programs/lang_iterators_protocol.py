class Fib:
    def __init__(self, limit):
        self.limit = limit

    def __iter__(self):
        return FibIter(self.limit)

    def __length_hint__(self):
        return 5


class FibIter:
    def __init__(self, limit):
        self.a, self.b, self.limit = 0, 1, limit

    def __iter__(self):
        return self

    def __next__(self):
        if self.a > self.limit:
            raise StopIteration
        value, self.a, self.b = self.a, self.b, self.a + self.b
        return value


class OldStyle:
    def __getitem__(self, i):
        print("getitem", i)
        if i >= 3:
            raise IndexError
        return i * 10


f = Fib(20)
print(list(f), max(f), 13 in f, 4 in f, sum(f), [*f][:3], sorted(f, reverse=True)[:2])
print(list(OldStyle()), 10 in OldStyle())
lines = iter(["a", "b", "STOP", "c"])
print(list(iter(lambda: next(lines), "STOP")), list(lines))
it = iter([1, 2, 3, 4, 5])
print(list(zip(it, it)), list(it), next(it, "done"))
print(list(enumerate("ab", 1)), list(map(pow, [2, 3], [3, 2])), list(filter(None, [0, 1, "", "x"])), list(zip("abc", range(2))), list(reversed(range(0, 10, 3))))
try:
    list(zip("abc", range(2), strict=True))
except ValueError as e:
    print("ValueError:", e)
r = range(10, 0, -3)
print(r, list(r), len(r), r[1], r[-1], 4 in r, 5 in r, r.index(4), r[1:], r == range(10, -1, -3), range(0) == range(2, 1))
a, b = iter([1]), iter({1: 2})
print(type(a).__name__, type(b).__name__, type(iter(set())).__name__, type(zip()).__name__, a.__length_hint__())
d = {i: i for i in range(3)}
for mutate in ("d[99] = 1", "d.pop(0)"):
    try:
        for k in d:
            exec(mutate)
    except RuntimeError as e:
        print("RuntimeError:", e)
lst = [1, 2, 3, 4]
for x in lst:
    if x % 2:
        lst.remove(x)
print(lst)
for i in range(3):
    if i == 5:
        break
else:
    print("no break")
i = iter([1, 2, 3])
print(any(x > 1 for x in i), list(i), all(x < 3 for x in iter([1, 2, 3])), dict(zip("ab", iter([1, 2]))))


class Peek:
    def __init__(self, it):
        self.it, self.buf = iter(it), []

    def peek(self):
        if not self.buf:
            self.buf.append(next(self.it))
        return self.buf[0]

    def __iter__(self):
        return self

    def __next__(self):
        return self.buf.pop() if self.buf else next(self.it)


p = Peek("xyz")
print(p.peek(), p.peek(), next(p), list(p))
