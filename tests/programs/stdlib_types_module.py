import types
from types import SimpleNamespace, MappingProxyType, MethodType, FunctionType, new_class, ModuleType, GenericAlias, DynamicClassAttribute

ns = SimpleNamespace(a=1, b=[2])
ns.c = "see"
del ns.a
print(ns, ns == SimpleNamespace(b=[2], c="see"), SimpleNamespace({"k": 1}, z=2))

base = {"x": 1}
proxy = MappingProxyType(base)
base["y"] = 2
print(proxy, proxy["y"], len(proxy), proxy | {"z": 3})
try:
    proxy["x"] = 5
except TypeError as e:
    print("TypeError:", e)


def greet(self, word="hi"):
    return f"{word} from {self}"


print(MethodType(greet, "robot")("hello"))
clone = FunctionType(greet.__code__, globals(), "clone", ("yo",))
print(clone("x"), clone.__name__, greet.__defaults__)

Dyn = new_class("Dyn", (list,), {}, lambda d: d.update(total=lambda self: sum(self), kind="dyn"))
print(Dyn([1, 2, 3]).total(), Dyn.kind, Dyn.__mro__[1].__name__)
mod = ModuleType("fake", "A fake module")
exec("value = 42\ndef f(): return value * 2", mod.__dict__)
print(mod.f(), mod.__doc__, mod.__name__)
print(GenericAlias(list, (int,)), list[int].__origin__, isinstance(list[int], GenericAlias))
print(isinstance(len, types.BuiltinFunctionType), isinstance((i for i in ""), types.GeneratorType), type(None) is types.NoneType)
print(isinstance(greet, types.FunctionType), isinstance("".join, types.BuiltinMethodType), type(...).__name__, types.EllipsisType.__name__)


@types.coroutine
def old_style():
    yield "yielded"
    return "returned"


async def main():
    return await old_style()


co = main()
print(co.send(None))
try:
    co.send(None)
except StopIteration as e:
    print(e.value)
print(types.resolve_bases((list[int],)), types.get_original_bases(type("Q", (dict,), {})))
print(types.prepare_class("X", (), {"metaclass": type})[0])
