def permutations(items):
    if len(items) <= 1:
        yield items
        return
    for i, x in enumerate(items):
        for rest in permutations(items[:i] + items[i + 1:]):
            yield [x, *rest]


print(["".join(p) for p in permutations(list("abc"))], sum(1 for _ in permutations(list(range(6)))))


def hanoi(n, a="A", b="B", c="C"):
    if n:
        yield from hanoi(n - 1, a, c, b)
        yield f"{a}->{c}"
        yield from hanoi(n - 1, b, a, c)


print(" ".join(hanoi(3)))
nested = []
for _ in range(50):
    nested = [nested]
print(str(nested).count("["), eval("(" * 50 + "1" + ")" * 50))


def partitions(n, largest=None):
    largest = largest or n
    if n == 0:
        yield []
    for k in range(min(n, largest), 0, -1):
        for rest in partitions(n - k, k):
            yield [k, *rest]


print(list(partitions(5)))


def flatten(x):
    return [y for e in x for y in flatten(e)] if isinstance(x, list) else [x]


def subsets(items):
    return [[]] if not items else [s + t for s in subsets(items[1:]) for t in ([], [items[0]])]


print(flatten([1, [2, [3, [4, []]]], 5]), sorted(map(sorted, subsets([1, 2, 3]))))
