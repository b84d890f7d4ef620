from datetime import date, datetime

PEOPLE = [
    ("Ada", "10/12/1985"),
    ("Grace", "09/12/1990"),
    ("Linus", "28/12/1969"),
    ("Margaret", "17/08/2001"),
    ("Leap", "29/02/2000"),
    ("Broken", "31/02/1999"),
]
TODAY = date(2025, 3, 1)


def age(born, today):
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


def next_birthday(born, today):
    for year in (today.year, today.year + 1):
        try:
            birthday = born.replace(year=year)
        except ValueError:
            birthday = date(year, 3, 1)
        if birthday >= today:
            return birthday
    raise AssertionError("a birthday comes every year")


entries = []
for name, text in PEOPLE:
    try:
        born = datetime.strptime(text, "%d/%m/%Y").date()
    except ValueError as error:
        print(f"Skipping {name}: {error}")
        continue
    entries.append((next_birthday(born, TODAY), name, born))

for birthday, name, born in sorted(entries):
    days = (birthday - TODAY).days
    when = "today!" if days == 0 else f"in {days} days"
    print(f"{name:<10} {age(born, TODAY):>3} years, turns {birthday.year - born.year} on {birthday:%a %d %b} ({when})")
