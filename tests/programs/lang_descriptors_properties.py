class Typed:
    def __init__(self, kind, *, default=None, check=None):
        self.kind, self.default, self.check = kind, default, check

    def __set_name__(self, owner, name):
        print("set_name", owner.__name__, name)
        self.name = "_" + name

    def __get__(self, obj, owner=None):
        if obj is None:
            return self
        return getattr(obj, self.name, self.default)

    def __set__(self, obj, value):
        if not isinstance(value, self.kind):
            raise TypeError(f"{self.name[1:]} must be {self.kind.__name__}, not {type(value).__name__}")
        if self.check and not self.check(value):
            raise ValueError(f"bad value {value!r} for {self.name[1:]}")
        setattr(obj, self.name, value)

    def __delete__(self, obj):
        delattr(obj, self.name)


class lazy:
    def __init__(self, fn):
        self.fn = fn

    def __get__(self, obj, owner):
        print("computing", self.fn.__name__)
        value = obj.__dict__[self.fn.__name__] = self.fn(obj)
        return value


class Employee:
    name = Typed(str)
    age = Typed(int, default=18, check=lambda a: 0 <= a < 150)

    def __init__(self, name, age=None):
        self.name = name
        if age is not None:
            self.age = age

    @lazy
    def badge(self):
        return f"{self.name[:3].upper()}-{self.age}"

    @property
    def adult(self):
        """Is an adult."""
        return self.age >= 18

    @adult.setter
    def adult(self, flag):
        self.age = 18 if flag else 10

    @adult.deleter
    def adult(self):
        print("deleting adult")
        del self.age


e = Employee("Annette", 41)
print(e.badge, e.badge, e.adult, Employee.adult.__doc__, type(Employee.name).__name__)
e.adult = False
print(e.age, e.adult)
del e.adult
print(e.age, vars(e))
for fn in (lambda: setattr(e, "age", "old"), lambda: setattr(e, "age", 200), lambda: Employee(5), lambda: delattr(e, "age")):
    try:
        fn()
    except (TypeError, ValueError, AttributeError) as ex:
        print(type(ex).__name__, ex)


class RO:
    x = property(lambda self: 1)

    @classmethod
    def make(cls):
        return cls

try:
    RO().x = 5
except AttributeError as ex:
    print(ex)
print(RO.make() is RO, type(RO.__dict__["make"]).__name__)
