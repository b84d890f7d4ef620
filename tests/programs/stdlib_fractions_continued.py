from fractions import Fraction
import math


def continued(fr):
    terms = []
    while True:
        whole, rest = divmod(fr, 1)
        terms.append(int(whole))
        if rest == 0:
            return terms
        fr = 1 / rest


def convergents(terms):
    for i in range(1, len(terms) + 1):
        value = Fraction(terms[i - 1])
        for t in reversed(terms[: i - 1]):
            value = t + 1 / value
        yield value


print(continued(Fraction(415, 93)))
for c in convergents([3, 7, 15, 1, 292]):
    print(f"{c!s:>12} {float(c):.12f} err={float(c) - math.pi:+.2e}")

print(Fraction("3.125"), Fraction("-7/21"), Fraction(0.1), Fraction(0.1).limit_denominator(1000))
print(sum(Fraction(1, n) for n in range(1, 21)))
half, third = Fraction(1, 2), Fraction(1, 3)
print(half + third, half - third, half * third, half / third, half ** 3, 2 ** half, half ** -2)
print(round(Fraction(7, 2)), round(Fraction(22, 7), 3), math.floor(Fraction(-7, 2)), Fraction(7, 3) // half)
print(f"{Fraction(22, 7):.6f} {Fraction(1, 8):.1%} {Fraction(10**9, 7):,.2f}")
print(sorted([Fraction(1, 3), 0.3, Fraction(3, 10), 1]), Fraction(3, 6) == 0.5, Fraction(5).is_integer())
try:
    Fraction(1, 0)
except ZeroDivisionError as e:
    print("ZeroDivisionError:", e)
