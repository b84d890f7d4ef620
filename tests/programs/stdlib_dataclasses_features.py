from dataclasses import dataclass, field, fields, asdict, astuple, replace, FrozenInstanceError, InitVar, KW_ONLY, make_dataclass
from typing import ClassVar


@dataclass(order=True)
class Item:
    sort_index: float = field(init=False, repr=False)
    name: str
    price: float = 0.0
    tags: list[str] = field(default_factory=list, compare=False)
    count: ClassVar[int] = 0

    def __post_init__(self):
        self.sort_index = self.price
        Item.count += 1


@dataclass(frozen=True, slots=True)
class Point:
    x: int
    y: int
    _: KW_ONLY
    label: str = "origin"


@dataclass
class Account:
    owner: str
    deposit: InitVar[int]
    balance: int = field(init=False, default=0)

    def __post_init__(self, deposit):
        self.balance += deposit


items = [Item("pear", 2.5), Item("apple", 1.25, ["red"]), Item("fig")]
print(sorted(items))
print(Item.count, items[0] > items[1], max(items).name)
p = Point(1, 2, label="p")
print(p, hash(p) == hash(Point(1, 2, label="p")), replace(p, x=10), p == Point(1, 2))
try:
    p.x = 5
except FrozenInstanceError as e:
    print("frozen:", e)
print(asdict(items[1]), astuple(p))
print([(f.name, f.type, f.repr) for f in fields(Item)])
print(Account("ann", 50), hasattr(p, "__dict__"), Point.__match_args__)
Dyn = make_dataclass("Dyn", [("a", int), ("b", str, "z")], namespace={"up": lambda self: self.b.upper()})
print(Dyn(3), Dyn(3).up())
try:
    Point(1, 2, "positional")
except TypeError as e:
    print("TypeError:", e)
try:
    @dataclass
    class Bad:
        x: list = []
except ValueError as e:
    print("ValueError:", e)
