import sys


class Node:
    def __init__(self, value):
        self.value = value
        self.next = self


def total(node):
    return node.value + total(node.next)


sys.setrecursionlimit(400)
try:
    total(Node(1))
except RecursionError as e:
    print("caught once:", type(e).__name__)
print("limit", sys.getrecursionlimit())
total(Node(2))
