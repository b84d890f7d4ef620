import math
import sys

n = 2**521 - 1
print(n, n.bit_length(), len(str(n)), n % 1_000_000_007)
print(math.factorial(60), 3**200 // 7**50, -(10**30) // 7, -(10**30) % 7, divmod(-7, 2), divmod(10**25, -3))
print(pow(3, 10**18, 10**9 + 7), pow(3, -1, 11), pow(2, 1000) >> 990, (1 << 100) | 5, ~(1 << 70), (10**20) & (2**64 - 1), -5 >> 1, 7 ^ -3)
for base in (2, 8, 16):
    print({2: bin, 8: oct, 16: hex}[base](10**18), int({2: bin, 8: oct, 16: hex}[base](10**18), base))
print(int("zz", 36), int("-0b1010", 0), int("0x_ff", 16), int(" 12_345 "), int("٣"), (255).to_bytes(2), (-2).to_bytes(3, "little", signed=True))
print(int.from_bytes(b"\x01\x00"), int.from_bytes(b"\xff\xfe", "big", signed=True), (10**12).bit_count(), (12).as_integer_ratio(), (0.75).as_integer_ratio(), True + True)
print(10**18 / 3, 10**22 == 1e22, 10**23 == 1e23, 2**53 + 1 == float(2**53 + 1), float(2**63), int(1e20), round(12345678901234567890, -5))
try:
    int("9" * 5000)
except ValueError as e:
    print("ValueError:", e)
sys.set_int_max_str_digits(0)
print(len(str(7**6000)), str(7**6000)[-10:])
for fn in (lambda: 10**400 * 1.0, lambda: 10**400 / 10**399, lambda: (300).to_bytes(1), lambda: int("0x1g", 16), lambda: 1 << -1, lambda: pow(2, -1, 4), lambda: 5 // 0, lambda: 5 % 0, lambda: 5 / 0):
    try:
        print(fn())
    except (OverflowError, ValueError, ZeroDivisionError) as e:
        print(type(e).__name__, e)


def is_prime(n):
    if n < 2 or n % 2 == 0:
        return n == 2
    d, s = n - 1, 0
    while d % 2 == 0:
        d, s = d // 2, s + 1
    return all(any(pow(a, d << r, n) == n - 1 for r in range(s)) or pow(a, d, n) == 1 for a in (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37) if a < n)


print([p for p in (2**61 - 1, 2**67 - 1, 2**89 - 1, 2**127 - 1, 10**18 + 9) if is_prime(p)])
a, b = 0, 1
for _ in range(300):
    a, b = b, a + b
print(a, math.isqrt(a), math.gcd(a, b), math.lcm(2**40, 3**20))
p, q, e = 2**61 - 1, 2**89 - 1, 65537
d = pow(e, -1, (p - 1) * (q - 1))
c = pow(int.from_bytes(b"secret"), e, p * q)
print(c, pow(c, d, p * q).to_bytes(6))
