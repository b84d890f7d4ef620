import math
import cmath

print(math.factorial(25), math.comb(52, 5), math.perm(10, 3), math.gcd(84, 126, 210), math.lcm(4, 6, 10), math.isqrt(10**20 + 1))
print(math.prod([1, 2, 3.5]), math.fsum([0.1] * 10), sum([0.1] * 10), math.sumprod([1, 2], [3, 4]))
print(math.floor(-2.5), math.ceil(-2.5), math.trunc(-2.7), round(2.5), round(-3.5), round(2.675, 2), round(1234, -2))
print(math.fmod(-7, 3), -7 % 3, math.remainder(7, 4), math.modf(-3.25), math.frexp(10), math.ldexp(0.625, 4))
print(math.copysign(1, -0.0), math.nextafter(1, 2), math.ulp(1.0), math.isclose(0.1 + 0.2, 0.3), math.hypot(3, 4, 12), math.dist((0, 0), (1, 1)))
for fn in ("sin", "cos", "tan", "asin", "acos", "atan", "sinh", "cosh", "tanh", "exp", "expm1", "log1p", "erf", "erfc", "gamma", "lgamma", "cbrt", "exp2"):
    print(f"{fn:6} {getattr(math, fn)(0.7):.12f}")
print(math.log(8, 2), math.log2(1 << 80), math.log10(10**50), f"{math.log(10**400):.10f}", math.pow(2, 0.5), math.fma(2, 3, 4))
print(math.degrees(math.pi), math.radians(180), math.tau == 2 * math.pi, math.inf > 10**308, math.isnan(math.nan))
for call in ("math.sqrt(-1)", "math.log(0)", "math.exp(1000)", "math.factorial(-1)", "math.gamma(-2)", "math.floor(math.inf)",
             "math.acos(2)", "math.comb(-1, 2)", "math.isqrt(-4)", "float(10**400)", "int(math.nan)"):
    try:
        print(call, eval(call))
    except (ValueError, OverflowError) as e:
        print(call, type(e).__name__, e)
z = 3 + 4j
print(abs(z), z.conjugate(), z * 1j, z ** 2, 1 / z, complex("1-2j"), z == complex(3, 4), -z, z.real)
print([f"{v:.6f}" for v in cmath.polar(z)], f"{cmath.rect(2, cmath.pi / 2):.6f}", f"{cmath.sqrt(-2):.6f}", f"{cmath.exp(1j * cmath.pi):.6f}")
print(f"{cmath.log(-1):.6f}", cmath.isclose(cmath.sin(1j), 1j * math.sinh(1)), f"{z:.2f} {z:+.1e}", complex(0, -0.0), complex(math.inf, math.nan))
