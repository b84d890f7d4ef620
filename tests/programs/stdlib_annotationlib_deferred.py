import annotationlib
from annotationlib import Format, ForwardRef, get_annotations
from dataclasses import dataclass


class Tree:
    left: Tree | None
    right: Tree | None
    value: int = 0
    missing: NotDefinedYet


def func(a: Undefined, b: list[Later]) -> Tree: ...


print(get_annotations(Tree, format=Format.STRING))
try:
    print(Tree.__annotations__)
except NameError as e:
    print("NameError:", e)
refs = get_annotations(func, format=Format.FORWARDREF)
print({k: type(v).__name__ for k, v in refs.items()}, refs["a"].__forward_arg__, refs["return"] is Tree)
print(get_annotations(func, format=Format.STRING))


class Later: ...


Undefined = int
print(func.__annotations__["a"], func.__annotations__["b"].__args__[0] is Later)
NotDefinedYet = str
print(sorted(Tree.__annotations__), Tree.__annotations__["missing"])
print(ForwardRef("1 + 2").evaluate(), annotationlib.type_repr(int), annotationlib.type_repr(list[int]))


@dataclass
class Node:
    name: str
    parent: Node | None = None


print(Node("a", Node("b")), Node.__annotations__["parent"])
print([f.name for f in Format], callable(func.__annotate__), func.__annotate__(Format.VALUE)["a"])
x: int = 3
y: undefined_name
print(annotationlib.get_annotations(type("E", (), {})), get_annotations(__import__("__main__"), format=Format.STRING))


def lazy(a: print("never evaluated eagerly") = 1): ...


print("before")
lazy.__annotations__
print("after", lazy.__annotations__)
