from decimal import (Decimal, getcontext, localcontext, ROUND_HALF_UP, ROUND_HALF_EVEN, ROUND_DOWN,
                     InvalidOperation, DivisionByZero, Inexact)

CENT = Decimal("0.01")
prices = [Decimal("19.99"), Decimal("0.005"), Decimal("2.675"), Decimal("-1.115")]
for p in prices:
    print(p, p.quantize(CENT, ROUND_HALF_UP), p.quantize(CENT, ROUND_HALF_EVEN), p.quantize(CENT, ROUND_DOWN))

print(0.1 + 0.2, Decimal("0.1") + Decimal("0.2"), Decimal(0.1))
print(Decimal(1) / Decimal(7), getcontext().prec)
with localcontext(prec=50) as ctx:
    print(Decimal(2).sqrt())
    print(Decimal(1).exp())
    print(Decimal(10).ln())
    ctx.traps[Inexact] = True
    try:
        Decimal(1) / 3
    except Inexact as e:
        print("inexact", e)

balance = Decimal("1000.00")
for year in range(1, 6):
    interest = (balance * Decimal("0.0375")).quantize(CENT)
    balance += interest
    print(f"year {year}: +{interest:>6} = {balance:,.2f}")

for fn in (lambda: Decimal("abc"), lambda: Decimal(1) / 0, lambda: Decimal("sNaN") + 1):
    try:
        fn()
    except (InvalidOperation, DivisionByZero) as e:
        print(type(e).__name__, e)
print(Decimal("1E+3").normalize(), Decimal("100").normalize(), Decimal("1.20").as_tuple())
print(Decimal("Infinity") > 10, Decimal("NaN") == Decimal("NaN"), Decimal("7.325").as_integer_ratio())
print(f"{Decimal('1234567.891'):,.1f} {Decimal('0.00012'):e} {Decimal('0.256'):.1%}")
print(sum(prices), max(prices), sorted(prices), Decimal("-5") % 3, divmod(Decimal(17), Decimal("2.5")))
