from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, get_type_hints, TypeAliasType, NoDefault

type Pair[T] = tuple[T, T]
type Json = dict[str, Json] | list[Json] | str | int | None
type Handler[**P, R] = Callable[P, R]
type Lazy = DoesNotExist | int


def first[T](items: Sequence[T], default: T | None = None) -> T | None:
    return items[0] if items else default


def longest[S: (str, bytes)](a: S, b: S) -> S:
    return a if len(a) >= len(b) else b


class Stack[T = int]:
    def __init__(self):
        self._items: list[T] = []

    def push(self, item: T) -> "Stack[T]":
        self._items.append(item)
        return self

    def map[U](self, fn: Callable[[T], U]) -> "Stack[U]":
        out = Stack[U]()
        for i in self._items:
            out.push(fn(i))
        return out

    def __repr__(self):
        return f"Stack({self._items})"


@dataclass
class Box[T: int | str, *Ts, **P]:
    value: T


class Comparable[T](Protocol):
    def __lt__(self, other: T) -> bool: ...


print(Pair, Pair.__value__, Pair[int], Pair.__type_params__, isinstance(Pair, TypeAliasType))
print(Json.__value__, Handler.__type_params__)
try:
    Lazy.__value__
except NameError as e:
    print("NameError:", e)
print(first([3, 4]), first([], "x"), first.__type_params__, first.__annotations__)
print(longest("ab", "abc"), longest.__type_params__[0].__constraints__)
print(Stack[str]().push(1).push(2).map(lambda x: x * 1.5), Stack[str], Stack.__parameters__, Stack.__orig_bases__)
print(Stack.__type_params__[0].__default__, Stack.__type_params__[0].has_default(), first.__type_params__[0].__default__ is NoDefault)
T, Ts, P = Box.__type_params__
print(Box(5), T.__bound__, Ts, P, T.__name__, T.__infer_variance__, [type(p).__name__ for p in (T, Ts, P)], issubclass(Stack, Generic))
print(Box[int, str, float, [int, str]], get_type_hints(Stack.push)["return"])
for src in ("def f[T, T](): ...", "class A[T: (yield)]: ...", "type X[T] = (y := 1)", "def f[T=int, U](): ..."):
    try:
        exec(src)
    except SyntaxError as e:
        print(src, "->", e.msg)
