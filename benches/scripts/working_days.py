from datetime import date, timedelta

HOLIDAYS = {
    date(2025, 1, 1): "New Year's Day",
    date(2025, 4, 18): "Good Friday",
    date(2025, 4, 21): "Easter Monday",
    date(2025, 5, 1): "Labour Day",
    date(2025, 12, 25): "Christmas Day",
    date(2025, 12, 26): "Boxing Day",
}


def is_working_day(day):
    return day.weekday() < 5 and day not in HOLIDAYS


def working_days(start, end):
    count = 0
    while start <= end:
        count += is_working_day(start)
        start += timedelta(days=1)
    return count


def add_working_days(start, days):
    current = start
    while days > 0:
        current += timedelta(days=1)
        if is_working_day(current):
            days -= 1
    return current


for month in range(1, 13):
    first = date(2025, month, 1)
    last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
    print(f"{first.strftime('%B'):<10} {working_days(first, last):>3} working days")

start = date(2025, 4, 14)
deadline = add_working_days(start, 10)
print(f"10 working days after {start:%a %d %b %Y}: {deadline:%A, %d %B %Y}")
for day, name in sorted(HOLIDAYS.items()):
    print(f"{day.isoformat()} {day:%a} {name}")
