from decimal import ROUND_HALF_UP, Decimal, getcontext

getcontext().prec = 28
CENT = Decimal("0.01")


def round_money(amount):
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def monthly_payment(principal, annual_rate, months):
    rate = annual_rate / Decimal(12) / Decimal(100)
    factor = (1 + rate) ** months
    return round_money(principal * rate * factor / (factor - 1))


def schedule(principal, annual_rate, months):
    payment = monthly_payment(principal, annual_rate, months)
    balance = principal
    for month in range(1, months + 1):
        interest = round_money(balance * annual_rate / Decimal(1200))
        paid = min(payment, balance + interest)
        balance = balance + interest - paid
        if month == months and balance:
            paid, balance = paid + balance, Decimal(0)
        yield month, paid, interest, balance


rows = list(schedule(Decimal("15000"), Decimal("4.9"), 36))
print(f"{'Month':>5}{'Payment':>12}{'Interest':>12}{'Balance':>14}")
for month, paid, interest, balance in rows:
    if month % 6 == 0 or month == 1:
        print(f"{month:>5}{paid:>12.2f}{interest:>12.2f}{balance:>14,.2f}")
print("Total interest:", sum(interest for _, _, interest, _ in rows))
print("Total paid:    ", sum(paid for _, paid, _, _ in rows))
for rate in ("3.5", "4.9", "7.25"):
    print(f"{rate}% over 60 months: {monthly_payment(Decimal(15000), Decimal(rate), 60)}")
