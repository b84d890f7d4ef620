import typing
from typing import (Annotated, Any, Generic, Literal, NamedTuple, Optional, Protocol, TypedDict, TypeVar, Union, Callable,
                    get_args, get_origin, get_type_hints, overload, runtime_checkable, NotRequired, Required, final, cast, Self, assert_never)

T = TypeVar("T")


@runtime_checkable
class Closeable(Protocol):
    def close(self) -> None: ...


class Res:
    def close(self):
        pass


class Stack(Generic[T]):
    def __init__(self) -> None:
        self.items: list[T] = []

    def push(self, x: T) -> Self:
        self.items.append(x)
        return self


class Movie(TypedDict, total=False):
    title: Required[str]
    year: int


class Emp(NamedTuple):
    name: str
    id: int = 3


def f(a: int, b: Optional["Res"] = None, *c: Annotated[str, "meta"], d: Literal["x", "y"] = "x") -> dict[str, list[int]]: ...


print(isinstance(Res(), Closeable), isinstance(3, Closeable))
print(Stack[int], Stack[int]().push(1).push(2).items, Stack.__parameters__, Stack[T][str])
print(get_type_hints(f))
print(get_type_hints(f, include_extras=True)["c"])
for t in (Union[int, str, None], Optional[int], int | str, list[int], Callable[[int], str], Literal[1, "a"], dict[str, Any]):
    print(t, get_origin(t), get_args(t))
print(sorted(Movie.__required_keys__), sorted(Movie.__optional_keys__), Movie(title="Up", year=2009))
print(Emp("ann"), Emp.__annotations__, Emp._field_defaults)
print(Union[int, int] is int, Union[int, Union[str, int]], int | None == Optional[int])
print(cast(int, "not checked"), typing.is_typeddict(Movie), typing.NewType("UserId", int)(5))
try:
    assert_never("oops")
except AssertionError as e:
    print(e)
try:
    isinstance([], list[int])
except TypeError as e:
    print("TypeError:", e)
