class A:
    def __init__(self, **kw):
        print("A.init", kw)

    def who(self):
        return ["A"]


class B(A):
    def __init__(self, b=1, **kw):
        print("B.init", b)
        super().__init__(**kw)

    def who(self):
        return ["B"] + super().who()


class C(A):
    def __init__(self, c=2, **kw):
        print("C.init", c)
        super().__init__(**kw)

    def who(self):
        return ["C"] + super().who()


class D(B, C):
    def who(self):
        return ["D"] + super().who()


d = D(b=10, c=20)
print(d.who(), [k.__name__ for k in D.__mro__], D.__bases__[0].__name__)
print(super(B, d).who(), A.who(d), isinstance(d, C), issubclass(D, (int, A)), [s.__name__ for s in A.__subclasses__()])
try:
    class Bad(A, B):
        pass
except TypeError as e:
    print("TypeError:", " ".join(str(e).split()))


class Money(int):
    def __new__(cls, amount, currency="EUR"):
        self = super().__new__(cls, round(amount * 100))
        self.currency = currency
        return self

    def __str__(self):
        return f"{self / 100:.2f} {self.currency}"

    def __add__(self, o):
        return Money((int(self) + int(o)) / 100, self.currency)


print(Money(1.5), Money(2) + Money(0.25), int(Money(3)), Money(1) * 2, sum([Money(1), Money(2)], Money(0)))


class DefaultList(list):
    def __getitem__(self, i):
        try:
            return super().__getitem__(i)
        except IndexError:
            return "missing"


dl = DefaultList([1, 2])
print(dl[0], dl[9], dl, dl[0:1], isinstance(dl, list), type(dl + [3]).__name__)


class Meta:
    def __class_getitem__(cls, item):
        return f"{cls.__name__}[{item}]"


print(Meta["x"], type("T", (Meta,), {})[1, 2])
try:
    class F(bool):
        pass
except TypeError as e:
    print(e)
