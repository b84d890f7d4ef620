import calendar
from datetime import date

EVENTS = {3: "Team lunch", 14: "Deadline", 22: "Concert", 28: "Payday"}
YEAR, MONTH = 2025, 11

cal = calendar.Calendar(firstweekday=calendar.MONDAY)
print(f"{calendar.month_name[MONTH]} {YEAR}".center(28))
print("".join(f"{calendar.day_abbr[i]:>4}" for i in range(7)))
for week in cal.monthdayscalendar(YEAR, MONTH):
    cells = []
    for day in week:
        if day == 0:
            cells.append("    ")
        else:
            cells.append(f"{day:>3}{'*' if day in EVENTS else ' '}")
    print("".join(cells).rstrip())

print()
for day, event in EVENTS.items():
    weekday = calendar.day_name[calendar.weekday(YEAR, MONTH, day)]
    print(f"{weekday:<10} {day:>2}: {event}")

leap_years = [year for year in range(2000, 2051) if calendar.isleap(year)]
print("\nLeap years:", *leap_years)

fridays_13 = [
    date(year, month, 13).strftime("%b %Y")
    for year in (2025, 2026)
    for month in range(1, 13)
    if calendar.weekday(year, month, 13) == calendar.FRIDAY
]
print("Friday the 13th:", ", ".join(fridays_13))
print(calendar.TextCalendar().formatmonth(2024, 2))
