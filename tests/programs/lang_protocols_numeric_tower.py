class Meters:
    def __init__(self, v):
        self.v = v

    def __repr__(self):
        return f"{self.v}m"

    def __add__(self, o):
        print("add", o)
        return Meters(self.v + (o.v if isinstance(o, Meters) else o))

    def __radd__(self, o):
        print("radd", o)
        return Meters(o + self.v)

    def __sub__(self, o):
        return NotImplemented

    def __pow__(self, e, mod=None):
        return ("pow", e, mod)

    def __divmod__(self, o):
        return self.v // o, self.v % o

    def __index__(self):
        return int(self.v)

    def __int__(self):
        return int(self.v) + 1000

    def __float__(self):
        return float(self.v)

    def __invert__(self):
        return f"~{self.v}"

    def __lshift__(self, n):
        return f"{self.v}<<{n}"

    def __rshift__(self, n):
        return f"{self.v}>>{n}"

    def __and__(self, o):
        return f"{self.v}&{o}"

    def __ror__(self, o):
        return f"{o}|{self.v}"

    def __lt__(self, o):
        return self.v < float(o)

    def __ge__(self, o):
        return self.v >= float(o)

    def __trunc__(self):
        return 77

    def __floor__(self):
        return "floored"


class Sub(Meters):
    def __radd__(self, o):
        print("sub radd wins")
        return Sub(o.v + self.v)


m = Meters(5)
print(m + 1, 1 + m, m + Sub(2), sum([m, m]), m ** 2, pow(m, 2, 3), divmod(m, 2), ~m, m << 2, m >> 1, m & 3, 8 | m)
print([10, 20, 30, 40, 50, 60][m], "ab" * m, hex(m), range(m), int(m), float(m), bin(m), chr(Meters(65)), bytes(Meters(2)), round(float(m) / 3, 2))
import math
print(math.floor(m), math.sqrt(Meters(16)), math.trunc(m), m < 6, m > Meters(2), m >= 5, max(m, Meters(9)), sorted([Meters(3), Meters(1)]))
m2 = m
m2 += 1
print(m, m2, complex(m), "%d %.1f" % (m, m), f"{float(m):.2f}")
for src in ("m - 1", "1 - m", "m * 2", "m <= 3", "abs(m)", "-m", "m @ m", "m[0]", "len(m)", "m()", "round(m)", "iter(m)", "m // 2", "1 in m", "with_(m)", "format(m, '>5')", "m |= 1"):
    try:
        exec(src)
        print(src, "ok")
    except Exception as e:
        print(f"{src:16} {type(e).__name__}: {e}")


print(type(m + 0).__name__, type(m).__mro__[0] is Meters)
