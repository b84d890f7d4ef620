import sys
from functools import lru_cache


def depth(n):
    return 1 if n == 0 else 1 + depth(n - 1)


print(depth(500))


def forever(n):
    return forever(n + 1)


try:
    forever(0)
except RecursionError as e:
    print(type(e).__name__, str(e).startswith("maximum recursion depth exceeded"))


class Loop:
    def __getattr__(self, name):
        return getattr(self, name + "x")


class Eq:
    def __eq__(self, other):
        return self == other


for fn in (lambda: Loop().a, lambda: Eq() == 1, lambda: (lambda f: f(f))(lambda f: f(f))):
    try:
        fn()
    except RecursionError:
        print("RecursionError caught")
old = sys.getrecursionlimit()
sys.setrecursionlimit(5000)
print(old, sys.getrecursionlimit(), depth(3000))
sys.setrecursionlimit(old)
try:
    sys.setrecursionlimit(0)
except ValueError as e:
    print("ValueError:", e)


@lru_cache(None)
def collatz(n):
    return 0 if n == 1 else 1 + collatz(n // 2 if n % 2 == 0 else 3 * n + 1)


print(max(range(1, 2000), key=collatz), collatz(27))


def ackermann(m, n):
    stack = [m]
    while stack:
        m = stack.pop()
        if m == 0:
            n += 1
        elif n == 0:
            stack.append(m - 1)
            n = 1
        else:
            stack += [m - 1, m]
            n -= 1
    return n


print(ackermann(2, 3), ackermann(3, 4))


print(ackermann(1, 1))
