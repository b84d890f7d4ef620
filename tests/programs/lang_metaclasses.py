class Registry(type):
    classes = {}

    @classmethod
    def __prepare__(mcs, name, bases, **kw):
        print("prepare", name, [b.__name__ for b in bases], kw)
        return {"injected": name.lower()}

    def __new__(mcs, name, bases, ns, *, tag=None, **kw):
        cls = super().__new__(mcs, name, bases, dict(ns))
        cls.tag = tag or getattr(cls, "tag", "none")
        mcs.classes[name] = cls
        return cls

    def __init__(cls, name, bases, ns, **kw):
        super().__init__(name, bases, ns)
        cls.order = list(k for k in ns if not k.startswith("__") and k != "injected")

    def __call__(cls, *args, **kw):
        print("creating", cls.__name__, args)
        return super().__call__(*args, **kw)

    def __len__(cls):
        return len(cls.order)

    def __iter__(cls):
        return iter(cls.order)

    def __repr__(cls):
        return f"<registered {cls.__name__}>"

    def __instancecheck__(cls, obj):
        return hasattr(obj, "quack")

    def __contains__(cls, name):
        return name in cls.order


class Animal(metaclass=Registry, tag="fauna"):
    b = 1
    a = 2

    def quack(self):
        return "?"


class Duck(Animal):
    def quack(self):
        return "quack"


print(Animal, Duck.injected, Duck.tag, list(Animal), len(Duck), Registry.classes)
d = Duck()
print(d.quack(), isinstance(d, Animal), isinstance(3, Animal), "b" in Animal, type(Duck) is Registry)


class Singleton(type):
    _inst = {}

    def __call__(cls, *a):
        if cls not in cls._inst:
            cls._inst[cls] = super().__call__(*a)
        return cls._inst[cls]


class Config(metaclass=Singleton):
    def __init__(self, v):
        self.v = v


print(Config(1) is Config(2), Config(3).v)
try:
    class Mixed(Animal, Config):
        pass
except TypeError as e:
    print("TypeError:", e)
print(Config.__class__.__name__, Singleton.__mro__[1].__name__)
