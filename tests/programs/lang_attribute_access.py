class Logged:
    def __init__(self):
        object.__setattr__(self, "_data", {})

    def __getattr__(self, name):
        print("getattr", name)
        try:
            return self._data[name]
        except KeyError:
            raise AttributeError(f"no {name}", name=name, obj=self) from None

    def __setattr__(self, name, value):
        print("setattr", name, value)
        self._data[name] = value

    def __delattr__(self, name):
        print("delattr", name)
        del self._data[name]

    def __dir__(self):
        return ["b", "a", *self._data]


o = Logged()
o.color = "red"
o.colour_code = 5
print(o.color, hasattr(o, "size"), getattr(o, "size", "default"), dir(o))
del o.color
try:
    o.color
except AttributeError as e:
    print(e, e.name, type(e.obj).__name__)


class Base:
    kind = "base"

    def __init__(self):
        self.__secret = 1
        self._soft = 2

    def reveal(self):
        return self.__secret

    def __getattribute__(self, name):
        if name == "forbidden":
            raise AttributeError("forbidden!")
        return super().__getattribute__(name)


class Child(Base):
    def __init__(self):
        super().__init__()
        self.__secret = 99


c = Child()
print(c.reveal(), sorted(vars(c)), c.kind, Child.kind)
c.kind = "instance"
print(c.kind, Child.kind, vars(c)["kind"])
Base.kind = "changed"
del c.kind
print(c.kind)
for attr in ("forbidden", "__secret", "knid"):
    try:
        getattr(c, attr)
    except AttributeError as e:
        print("AttributeError:", e)


class Slots:
    __slots__ = ("a", "__dict__")


s = Slots()
s.a, s.extra = 1, 2
print(s.a, s.__dict__)
try:
    print(Slots.a.__get__(Slots()))
except AttributeError as e:
    print(e)
