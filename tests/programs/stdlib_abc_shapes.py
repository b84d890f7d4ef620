import math
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence, Mapping, Sized, Hashable, MutableSequence


class Shape(ABC):
    registry = {}

    def __init_subclass__(cls, **kw):
        super().__init_subclass__(**kw)
        Shape.registry[cls.__name__.lower()] = cls

    @property
    @abstractmethod
    def area(self): ...

    @abstractmethod
    def scale(self, k): ...

    def describe(self):
        return f"{type(self).__name__} area={self.area:.4f}"


class Circle(Shape):
    def __init__(self, r):
        self.r = r

    @property
    def area(self):
        return math.pi * self.r**2

    def scale(self, k):
        return Circle(self.r * k)


class Half(Shape):
    def scale(self, k): ...


print(Circle(2).describe(), Circle(1).scale(3).describe())
for cls in (Shape, Half):
    try:
        cls()
    except TypeError as e:
        print("TypeError:", e)
print(sorted(Shape.registry), sorted(Half.__abstractmethods__))


class Deck(Sequence):
    def __init__(self, cards):
        self._cards = list(cards)

    def __len__(self):
        return len(self._cards)

    def __getitem__(self, i):
        return self._cards[i]


deck = Deck("A K Q J K".split())
print(len(deck), "Q" in deck, deck.index("J"), deck.count("K"), list(reversed(deck)), deck[1:3])
print([isinstance(x, Iterable) for x in ([], 1, "s", deck)], isinstance(deck, Hashable), issubclass(dict, Mapping))


class Weird:
    pass


Sized.register(Weird)
print(issubclass(Weird, Sized), isinstance(Weird(), Sized))
