import math


class Vector:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x, self.y = x, y

    def __repr__(self):
        return f"Vector({self.x!r}, {self.y!r})"

    def __add__(self, o):
        if not isinstance(o, Vector):
            return NotImplemented
        return Vector(self.x + o.x, self.y + o.y)

    def __radd__(self, o):
        return self if o == 0 else NotImplemented

    def __mul__(self, k):
        return Vector(self.x * k, self.y * k)

    __rmul__ = __mul__

    def __matmul__(self, o):
        return self.x * o.x + self.y * o.y

    def __neg__(self):
        return self * -1

    def __abs__(self):
        return math.hypot(self.x, self.y)

    def __bool__(self):
        return bool(self.x or self.y)

    def __eq__(self, o):
        return isinstance(o, Vector) and (self.x, self.y) == (o.x, o.y)

    def __hash__(self):
        return hash((self.x, self.y))

    def __iter__(self):
        yield self.x
        yield self.y

    def __getitem__(self, i):
        return (self.x, self.y)[i]

    def __len__(self):
        return 2

    def __contains__(self, v):
        return v in (self.x, self.y)

    def __call__(self, t):
        return Vector(self.x * t, self.y * t)

    def __round__(self, n=0):
        return Vector(round(self.x, n), round(self.y, n))

    def __iadd__(self, o):
        self.x += o.x
        self.y += o.y
        return self

    def __complex__(self):
        return complex(self.x, self.y)


a, b = Vector(3, 4), Vector(1.25, -2)
print(a + b, 2 * a, a * 2, a @ b, -a, abs(a), bool(Vector(0, 0)), a == Vector(3, 4), a != b)
print(sum([a, b]), list(a), a[-1], 4 in a, a(10), round(b, 1), complex(a), len({a, Vector(3, 4)}), [*reversed(a)])
c = a
c += b
print(a, c is a)
for expr in ("a + 1", "1 - a", "a < b", "a['k']", "a.z", "del_", "setattr(a, 'q', 1)", "int(a)", "a @ 3", "-a()", "{a: 1}[b]"):
    try:
        print(expr, eval(expr))
    except Exception as e:
        print(f"{expr:20} {type(e).__name__}: {e}")
