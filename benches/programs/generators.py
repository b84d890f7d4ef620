"""Generators: recursive in-order walks of a binary tree and chained pipelines."""

NODES = 60000
WALKS = 7
STREAM = 600000


class Node:
    __slots__ = ("left", "value", "right")

    def __init__(self, left, value, right):
        self.left = left
        self.value = value
        self.right = right

    def __iter__(self):
        if self.left:
            yield from self.left
        yield self.value
        if self.right:
            yield from self.right


def build(values):
    if not values:
        return None
    mid = len(values) // 2
    return Node(build(values[:mid]), values[mid], build(values[mid + 1 :]))


def walk_loop(node):
    """The same walk with nested for loops in place of delegation."""
    if node is not None:
        for value in walk_loop(node.left):
            yield value
        yield node.value
        for value in walk_loop(node.right):
            yield value


def numbers(limit):
    n = 0
    while n < limit:
        yield n
        n += 1


def keep_odd(source):
    for n in source:
        if n & 1:
            yield n


def square(source):
    for n in source:
        yield n * n


def running_average():
    total = count = 0
    average = 0
    while True:
        value = yield average
        total += value
        count += 1
        average = total // count


def bench() -> object:
    tree = build(range(NODES))
    ordered = 0
    for _ in range(WALKS):
        previous = -1
        for value in tree:
            if value > previous:
                ordered += 1
            previous = value
    looped = sum(walk_loop(tree))
    piped = sum(n % 1000 for n in square(keep_odd(numbers(STREAM))))
    averager = running_average()
    next(averager)
    last = 0
    for n in range(STREAM):
        last = averager.send(n)
    averager.close()
    return ordered, looped, piped, last


if __name__ == "__main__":
    print(bench())
