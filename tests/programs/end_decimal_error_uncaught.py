from decimal import Decimal, InvalidOperation
from fractions import Fraction

prices = {"tea": "2.50", "coffee": "3.75", "juice": "4,20"}
total = Decimal(0)
print(Fraction("5/4") + 1)
try:
    Decimal("not a number")
except InvalidOperation as e:
    print(type(e).__mro__[1].__name__, e)
for name, text in prices.items():
    print(name, text)
    total += Decimal(text)
    print("total", total)
