from datetime import date, timedelta
from calendar import monthrange, day_name

HOLIDAYS = {date(2024, 1, 1), date(2024, 3, 29), date(2024, 4, 1), date(2024, 5, 1), date(2024, 12, 25)}


def is_business(d):
    return d.weekday() < 5 and d not in HOLIDAYS


def add_business_days(d, n):
    step = 1 if n >= 0 else -1
    while n:
        d += timedelta(days=step)
        if is_business(d):
            n -= step
    return d


def add_months(d, n):
    total = d.year * 12 + d.month - 1 + n
    year, month = divmod(total, 12)
    month += 1
    return date(year, month, min(d.day, monthrange(year, month)[1]))


for start, n in [(date(2024, 3, 28), 1), (date(2024, 3, 28), 10), (date(2024, 5, 2), -3), (date(2024, 12, 24), 1)]:
    end = add_business_days(start, n)
    print(f"{start} {n:+d} -> {end} ({day_name[end.weekday()]})")

for month in range(1, 13):
    days = monthrange(2024, month)[1]
    count = sum(is_business(date(2024, month, d)) for d in range(1, days + 1))
    print(f"{date(2024, month, 1):%b}: {count:2d} business days {'#' * count}")

d = date(2024, 1, 31)
print([str(add_months(d, n)) for n in range(-3, 4)])


def age(born, today):
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


print(age(date(2000, 2, 29), date(2024, 2, 28)), age(date(2000, 2, 29), date(2024, 2, 29)))
