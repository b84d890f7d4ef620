from datetime import date
import math

name, width, value = "Ann", 10, 1234.5678
print(f"{name!r:>{width}}|{name:^{width}}|{name!s:*<{width}}|{value:{width}.{2}f}|{value:,.1f}|{value:e}|{value:g}")
print(f"{42:b} {42:o} {42:x} {42:#X} {42:08.3f} {-42:+d} {42: d} {1_000_000:_} {0.1234:.1%} {65:c}")
print(f"{value=} {name=!s} {2 + 3 = } {width=:>5}")
print(f"{{literal}} {{{name}}} {'nested ' + f'{name.upper()}'} {"same quotes"} {[x for x in "ab"]} { {1: 2}[1]}")
print(f"{date(2024, 2, 29):%d/%m/%y} {math.pi:.{3}} {1e10:.3g} {1e-10} {float('nan'):5} {float('inf'):>6} {-0.0}")
print(f"{'multi'
       'line'} {(lambda x: x * 2)(3)} {name if width else 'x'} {'\n'.join(['a', 'b'])!r} {'\u2603'}")
print(rf"\d+{name}\n", f"{True:d} {None!s:>6} {3 + 4j:.1f} {(1, 2)!s:>10} {b'x'!r}")


class Money:
    def __init__(self, amount):
        self.amount = amount

    def __format__(self, spec):
        match spec.partition("/"):
            case ("", _, _):
                return str(self.amount)
            case (cur, _, digits):
                return f"{cur}{self.amount:.{digits or 2}f}"

    def __repr__(self):
        return f"<Money {self.amount}>"


m = Money(9.999)
print(f"{m} {m:$} {m:EUR/1} {m!r} {m!r:>20}")
for spec in ("d", "z", ">>5", ".2d", "s", ",_", "010.2q"):
    try:
        print(spec, format(3.5, spec))
    except ValueError as e:
        print(spec, "ValueError:", e)
try:
    f"{name:d}"
except ValueError as e:
    print(e)
try:
    f"{object():>10}"
except TypeError as e:
    print(e)
for v in (0, 5, 1234567.891, -0.00001, 1e22, 123456789012345680.0):
    print(f"{v:>15,.2f} {v:<12g} {v:012.4e} {v!r}")
