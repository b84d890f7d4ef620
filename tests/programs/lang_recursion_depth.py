"""Recursion through C code and nested source as deep as on Linux."""
import copy
import functools
import json
import sys

sys.setrecursionlimit(10**6)


@functools.lru_cache(None)
def fib(n):
    return n if n < 2 else (fib(n - 1) + fib(n - 2)) % 10007


@functools.lru_cache(maxsize=10)
def count(n):
    return 0 if n == 0 else 1 + count(n - 1)


class Chain:
    def __init__(self, n):
        self.n = n

    def __add__(self, other):
        return 0 if self.n == 0 else 1 + (Chain(self.n - 1) + other)


print(fib(5000), count(6000), Chain(5000) + 0)
print(functools.reduce(lambda a, b: max(map(abs, [a, b])), range(-5000, 0)))
print(len(json.dumps(json.loads("[" * 20000 + "]" * 20000))))
nested = []
for _ in range(20000):
    nested = [nested]
print(len(repr(nested)), nested == copy.copy(nested))
for levels in (100, 199, 200, 201, 5000):
    try:
        print(levels, eval("(" * levels + "1" + ")" * levels))
    except (SyntaxError, MemoryError) as e:
        print(levels, type(e).__name__, str(e).split(" (")[0])
print(eval("+".join(["1"] * 5000)), eval("-" * 4000 + "1"), eval("[" * 150 + "]" * 150 + "[0]" * 149))
exec("if 0: pass\n" + "elif 0: pass\n" * 3000)
