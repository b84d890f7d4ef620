import inspect
from functools import partial


def func(a, b: int = 2, /, c=3, *args: str, d, e: "lazy" = None, **kw) -> bool:
    """Docstring
        indented more

    end.
    """
    return True


class Widget:
    """A widget."""
    size: int = 3

    def __init__(self, name, *, width=10):
        self.name = name

    @property
    def area(self):
        return 1

    @classmethod
    def make(cls, n): ...

    @staticmethod
    def util(x): ...

    async def fetch(self): ...

    def gen(self):
        yield 1


sig = inspect.signature(func)
print(sig, sig.return_annotation)
for p in sig.parameters.values():
    print(f"{p.name:5} {p.kind.description:22} default={'<none>' if p.default is p.empty else p.default!r}")
print(inspect.getdoc(func))
b = sig.bind(1, 2, 3, "x", d=4, extra=5)
b.apply_defaults()
print(b.arguments, b.args, b.kwargs)
for args, kw in [((), {}), ((1,), {}), ((1,), {"a": 2, "d": 1})]:
    try:
        sig.bind(*args, **kw)
        print("bound")
    except TypeError as e:
        print("TypeError:", e)
print(inspect.signature(Widget), inspect.signature(Widget("x").make), inspect.signature(partial(func, 1, d=9)))
print(sig.replace(parameters=list(sig.parameters.values())[:2]))
print([n for n, m in inspect.getmembers(Widget) if not n.startswith("__")])
for n in ("area", "make", "util", "fetch", "gen"):
    m = inspect.getattr_static(Widget, n)
    print(n, type(m).__name__, inspect.iscoroutinefunction(m), inspect.isgeneratorfunction(m))
print(inspect.getsource(Widget.gen))
print(inspect.getsourcelines(Widget.make)[1], inspect.isclass(Widget), [c.__name__ for c in inspect.getmro(bool)])
g = Widget("w").gen()
print(inspect.getgeneratorstate(g), next(g), inspect.getgeneratorstate(g), list(g), inspect.getgeneratorstate(g))
print(inspect.currentframe().f_lineno, inspect.stack()[0].function, inspect.cleandoc("  a\n    b"))
