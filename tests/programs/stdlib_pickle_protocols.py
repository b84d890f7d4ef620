import copyreg
import io
import pickle
import pickletools
from fractions import Fraction


class Point:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __repr__(self):
        return f"Point({self.x}, {self.y})"


class Conn:
    def __init__(self, url):
        self.url = url
        self.handle = object()

    def __getstate__(self):
        return {"url": self.url}

    def __setstate__(self, state):
        self.__init__(state["url"] + "#restored")


class Money:
    def __init__(self, cents):
        self.cents = cents

    def __reduce__(self):
        return (Money, (self.cents,), {"note": "reduced"})


data = {"pts": [Point(1, 2), Point(3, 4)], "frac": Fraction(1, 3), "b": b"\x00", "n": 2**70, "s": frozenset([1]), "t": (None, True, ...)}
for proto in range(2, pickle.HIGHEST_PROTOCOL + 1):
    back = pickle.loads(pickle.dumps(data, proto))
    print(proto, back)
print(pickle.loads(pickle.dumps(Conn("db://x"))).url, vars(pickle.loads(pickle.dumps(Money(5)))))
shared = [1]
a = pickle.loads(pickle.dumps([shared, shared]))
print(a[0] is a[1])
loop = {}
loop["self"] = loop
print(pickle.loads(pickle.dumps(loop))["self"]["self"].keys())
out = io.StringIO()
pickletools.dis(pickletools.optimize(pickle.dumps((1, "a", [2.5]), 2)), out)
print(out.getvalue())
copyreg.pickle(complex, lambda c: (complex, (c.real, c.imag)))
print(pickle.loads(pickle.dumps(3 + 4j)))


class Safe(pickle.Unpickler):
    def find_class(self, module, name):
        if (module, name) == ("builtins", "range"):
            return range
        raise pickle.UnpicklingError(f"global '{module}.{name}' is forbidden")


print(Safe(io.BytesIO(pickle.dumps(range(3)))).load())
for payload in (pickle.dumps(print), b"garbage", b""):
    try:
        Safe(io.BytesIO(payload)).load()
    except (pickle.UnpicklingError, EOFError) as e:
        print(type(e).__name__, e)
