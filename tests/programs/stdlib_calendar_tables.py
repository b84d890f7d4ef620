import calendar
import datetime

print(calendar.TextCalendar(calendar.MONDAY).formatmonth(2024, 2))
print(calendar.TextCalendar(calendar.SUNDAY).formatmonth(2023, 10, w=3, l=1))
print(calendar.calendar(2025, m=4)[:700])
print([y for y in range(1890, 1910) if calendar.isleap(y)], calendar.leapdays(1900, 2001))
print(calendar.monthrange(2024, 2), calendar.weekday(1969, 7, 20), calendar.day_name[6], calendar.month_abbr[9])
for week in calendar.monthcalendar(2024, 9):
    print(week)
c = calendar.Calendar(firstweekday=6)
print(list(c.iterweekdays()), [str(d) for d in c.itermonthdates(2024, 2)][:3], len(list(c.itermonthdays2(2024, 2))))
fridays = [d for m in range(1, 13) for d in c.itermonthdates(2024, m) if d.month == m and d.weekday() == 4 and d.day == 13]
print("Friday 13ths:", fridays)


def nth_weekday(year, month, weekday, n):
    days = [d for d in calendar.Calendar().itermonthdates(year, month) if d.month == month and d.weekday() == weekday]
    return days[n]


print("Thanksgiving:", nth_weekday(2024, 11, calendar.THURSDAY, 3), "last Mon May:", nth_weekday(2024, 5, 0, -1))
html = calendar.HTMLCalendar().formatmonth(2024, 1)
print(html[:160], html.count("<td"))
print(calendar.timegm((2001, 9, 9, 1, 46, 40)), calendar.Month.MARCH, repr(calendar.Day.SUNDAY))
try:
    calendar.monthrange(2024, 13)
except calendar.IllegalMonthError as e:
    print(e)
easter = []
for year in range(2020, 2027):
    a, b, cc = year % 19, year // 100, year % 100
    h = (19 * a + b - b // 4 - (b - (b + 8) // 25 + 1) // 3 + 15) % 30
    l = (32 + 2 * (b % 4) + 2 * (cc // 4) - h - cc % 4) % 7
    m = (a + 11 * h + 22 * l) // 451
    mo, day = divmod(h + l - 7 * m + 114, 31)
    easter.append(str(datetime.date(year, mo, day + 1)))
print(easter)
