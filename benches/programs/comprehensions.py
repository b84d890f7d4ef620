"""List, dict and set comprehensions over a catalogue of small objects."""

from dataclasses import dataclass
from enum import Enum

ITEMS = 500
ROUNDS = 1600


class Kind(Enum):
    SMALL = 1
    MEDIUM = 2
    LARGE = 3


@dataclass
class Item:
    ident: int
    owner: int
    kind: Kind
    related: list
    flags: tuple


class Shelf:
    def __init__(self, owner, items):
        self.owner = owner
        self.items = items
        self.by_ident = {item.ident: item for item in items}

    def related_of(self, item):
        return [self.by_ident[k] for k in item.related if k in self.by_ident]

    def owned(self):
        return [item for item in self.items if item.owner == self.owner]

    def any_big_relation(self, item):
        return any([other.kind is Kind.LARGE for other in self.related_of(item)])

    def summary(self):
        owned = self.owned()
        idents = [item.ident for item in owned]
        kinds = {item.kind.value for item in owned}
        sizes = {item.ident: len([f for f in item.flags if f]) for item in self.items}
        pairs = [(i, f) for i in idents if i % 3 == 0 for f in range(4) if f != i % 4]
        grouped = {kind: [i.ident for i in owned if i.kind is kind] for kind in Kind}
        big = [item for item in owned if self.any_big_relation(item)]
        table = [[a * b for a in range(6)] for b in range(6)]
        return (
            len(idents)
            + sum(kinds)
            + sum([n for n in sizes.values() if n > 1])
            + len(pairs)
            + sum([len(group) for group in grouped.values()])
            + len(big)
            + sum([sum(row) for row in table])
        )


def make_items():
    kinds = list(Kind)
    return [
        Item(
            ident=i,
            owner=i % 5,
            kind=kinds[i * 7 % 3],
            related=[(i * k + k) % (ITEMS + 50) for k in range(1, 6)],
            flags=tuple([(i >> bit) & 1 for bit in range(5)]),
        )
        for i in range(ITEMS)
    ]


def bench() -> object:
    items = make_items()
    shelves = [Shelf(owner, items) for owner in range(5)]
    total = 0
    for i in range(ROUNDS):
        total += shelves[i % 5].summary()
    return total


if __name__ == "__main__":
    print(bench())
