"""Results of mathematics equal the C library's to the last bit: digests over many arguments, ordinary and special."""
import cmath
import hashlib
import math
import random
import struct

ARGUMENTS = 10_000
SPECIAL = [0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 2.0, 10.0, 1e-320, -1e-320, 5e-324, 1e308, -1e308, math.pi, math.pi / 2,
           math.e, 709.78, -745.1, 1e22, math.inf, -math.inf, math.nan, 1 + 2**-52, 1 - 2**-53, 1e-8, 171.5, 3.0, 100.0]

random.seed(20260101)


def any_float():
    return struct.unpack("<d", random.randbytes(8))[0]


def arguments():
    yield from SPECIAL
    for _ in range(ARGUMENTS // 4):
        yield random.uniform(-1, 1)
        yield random.uniform(-30, 30)
        yield random.uniform(0, 1000) ** 3
        yield any_float()


def digest(values):
    """Of results in hexadecimal; an exception is its name and message."""
    hashed = hashlib.sha256()
    for value in values:
        hashed.update(value.encode() + b"\n")
    return hashed.hexdigest()[:16]


def told(function, *arguments):
    try:
        value = function(*arguments)
    except (ValueError, OverflowError, ZeroDivisionError) as error:
        return f"{type(error).__name__}: {error}"
    if isinstance(value, complex):
        return f"{value.real.hex()} {value.imag.hex()}"
    return value.hex() if isinstance(value, float) else repr(value)


print(math.exp(1), math.exp(1) == math.e, math.log(math.exp(1)), math.sin(1e22), 2.5 ** 3.7, math.cbrt(27), math.tanh(0.3))

given = list(arguments())
for name in ("acos acosh asin asinh atan atanh cbrt ceil cos cosh degrees erf erfc exp exp2 expm1 fabs floor frexp gamma "
             "lgamma log log10 log1p log2 modf radians sin sinh sqrt tan tanh trunc ulp").split():
    function = getattr(math, name)
    if name in ("frexp", "modf"):
        print(name, digest(repr(function(x)) for x in given))
    else:
        print(name, digest(told(function, x) for x in given))

pairs = list(zip(given, random.sample(given, len(given))))
pairs += [(x, y) for x in SPECIAL for y in SPECIAL]
for name in ("atan2", "copysign", "fmod", "hypot", "log", "nextafter", "pow", "remainder", "dist"):
    function = getattr(math, name)
    if name == "dist":
        print(name, digest(told(function, (x, y, 1.5), (y, 2.5, x)) for x, y in pairs))
    else:
        print(name, digest(told(function, x, y) for x, y in pairs))
print("**", digest(told(lambda x, y: x ** y, x, y) for x, y in pairs))
print("** small", digest(told(lambda x, y: abs(x) ** y, random.uniform(0, 50), random.uniform(-9, 9)) for _ in range(ARGUMENTS)))
print("fma", digest(told(math.fma, x, y, z) for (x, y), z in zip(pairs, given)))
print("ldexp", digest(told(math.ldexp, x, random.randint(-1100, 1100)) for x in given))
print("//", digest(told(lambda x, y: x // y, x, y) for x, y in pairs))
print("sumprod", told(math.sumprod, given[28:2000], given[2028:4000]), told(math.fsum, given[28:2000]))

numbers = [complex(x, y) for x, y in pairs[:4000]] + [complex(x, y) for x in SPECIAL for y in SPECIAL]
for name in "acos acosh asin asinh atan atanh cos cosh exp log log10 phase sin sinh sqrt tan tanh".split():
    function = getattr(cmath, name)
    print("complex", name, digest(told(function, z) for z in numbers))
print("complex **", digest(told(lambda z, w: z ** w, z, w) for z, w in zip(numbers, reversed(numbers))))
print("complex abs", digest(told(abs, z) for z in numbers))
