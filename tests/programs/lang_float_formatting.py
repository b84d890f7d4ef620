import math
import struct

VALUES = [0.1, 1 / 3, 2 / 3, 1e16, 1e15, 123456789.123456789, 1e-5, 0.0001, 5e-324, 1.7976931348623157e308, -0.0, 100.0, 1e22, 1e23, 0.1 + 0.2, math.pi, float("inf"), float("nan")]
for v in VALUES:
    print(repr(v), f"{v:.3f}"[:30], f"{v:g}", f"{v:.3e}", f"{v:10.2g}|", f"{v!s:>24}", v.hex())
for v in (0.5, 1.5, 2.5, 0.125, 0.375, 2.675, 1e300, -1234.5):
    print(v, round(v), round(v, 2), f"{v:.0f}"[:20], f"{v:.2f}"[-8:], math.floor(v) % 1000, int(v) % 1000, v.is_integer())
print(float("1_000.5"), float("  -1e3\n"), float("infinity"), float.fromhex("0x1.8p3"), float("1e400"), float("1e-400"), float("٣.٥"))
print(0.1 + 0.1 + 0.1 == 0.3, 1e308 * 10, -1e308 * 10, float("nan") == float("nan"), float("inf") - float("inf"), 0.0 == -0.0, math.copysign(1, -0.0))
print(7.5 // 2, -7.5 // 2, 7.5 % -2, divmod(-7.5, 2), 2**0.5, 2**-1, (-8) ** (1 / 3), 10.0**-5, 1e3 % 7)
print((0.1).as_integer_ratio(), (1e-320).hex(), math.nextafter(0, 1), math.ulp(1e16), 9007199254740993.0, 4.35 * 100, 1.1 * 3)
print("%.10f %5.1f %+e %g %G %r %s %%" % (0.1, 2.25, 12345.678, 1e-10, 1e20, 0.1, 1e5), "%08.3f|%-8.2f|% d" % (3.14159, 2.5, 7))
print(sum([0.1] * 3), math.fsum([0.1] * 3), sum([1e100, 1.0, -1e100]), max(1, 1.0), min(0.0, -0.0), [1, 1.0, True].count(1))
print(hash(1.0) == hash(1), 1e16 + 1, 0.1 * 3, 1 / 7, 1 / 49 * 49, 3.0 * 1.1, 1e-7, 12e-4, 123e-7)
print(struct.unpack("<d", struct.pack("<d", 1 / 3))[0] == 1 / 3, struct.pack(">d", 1.1).hex(), struct.unpack("<f", struct.pack("<f", 1.1))[0])
for bad in ("", "1.2.3", "abc", "1e", "--1", "0x1"):
    try:
        float(bad)
    except ValueError as e:
        print("ValueError:", e)
x, y = 1.0, 0
while x > 1e-3:
    x /= 3
    y += 1
    print(y, x)
print(f"{1234567.891:,.2f} {1234567.891:_.1f} {0.00001234:.2%} {1e10:,} {3.0:.0e} {12.0:#.0f} {-3.7:+.0f} {3.14159:<10.3}| {-0.001:z.1f}")
