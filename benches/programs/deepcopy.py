"""copy.deepcopy and copy.copy of nested containers, dataclasses and custom classes."""

import copy
from dataclasses import dataclass, field

ROUNDS = 5000


@dataclass
class Leaf:
    name: str
    values: list
    weight: float = 1.5


@dataclass
class Branch:
    leaves: list = field(default_factory=list)
    table: dict = field(default_factory=dict)
    parent: object = None


class Reducing:
    """Rebuilt through __reduce__ rather than by copying its state."""

    def __init__(self, low, high):
        self.low = low
        self.high = high

    def __reduce__(self):
        return Reducing, (self.low, self.high)


class Custom:
    """Answers for its own copies."""

    def __init__(self, data):
        self.data = data

    def __deepcopy__(self, memo):
        return Custom(copy.deepcopy(self.data, memo))


def make_plain():
    return {
        "list": [1, 2, 3, 43, [4, 5, (6, 7)]],
        "tuple": (1, "two", 3.0, [4]),
        "dict": {"a": [1.0, 2.0], "b": {"c": None, "d": True}},
        "text": "string",
        "set": {1, 2, 3},
        "bytes": b"\x00\x01",
    }


def make_tree():
    root = Branch()
    for i in range(4):
        leaf = Leaf(f"leaf{i}", [i, i + 1, (i, [i])])
        root.leaves.append(leaf)
        root.table[leaf.name] = leaf  # shared with the list above
    root.parent = root  # a cycle
    return root


def bench() -> object:
    plain = make_plain()
    tree = make_tree()
    reducing = [Reducing(i, [i]) for i in range(3)]
    custom = Custom({"k": [1, 2, 3]})
    flat = [i for i in range(100)]
    total = 0
    for _ in range(ROUNDS):
        a = copy.deepcopy(plain)
        total += len(a) + a["tuple"][3][0]
        b = copy.deepcopy(tree)
        total += b.parent is b
        total += b.leaves[2] is b.table["leaf2"]
        total += b.leaves[2] is not tree.leaves[2]
        c = copy.deepcopy(reducing)
        total += c[2].high[0]
        d = copy.deepcopy(custom)
        total += len(d.data["k"])
        total += copy.deepcopy(flat)[99]
        e = copy.copy(tree)
        total += e.leaves is tree.leaves
        total += len(copy.copy(flat))
    return total


if __name__ == "__main__":
    print(bench())
