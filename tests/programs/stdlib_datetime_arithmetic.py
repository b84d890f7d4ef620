from datetime import date, datetime, time, timedelta, timezone, UTC

start = datetime(2024, 1, 31, 23, 59, 59, 999999)
print(start, start + timedelta(microseconds=1))
print(repr(timedelta(days=-1, hours=5, milliseconds=250)))
print(timedelta(hours=49, seconds=3), timedelta(seconds=-1))
print(timedelta(days=7) / timedelta(hours=6), timedelta(days=10) // 3, timedelta(hours=7) % timedelta(hours=2))

for y in (1900, 2000, 2023, 2024):
    d = date(y, 12, 31)
    print(y, d.timetuple().tm_yday, d.isocalendar(), d.strftime("%a %j %U %W"))

tz = timezone(timedelta(hours=5, minutes=30), "IST")
aware = datetime(2024, 6, 1, 9, 30, tzinfo=tz)
print(aware.isoformat(), aware.astimezone(UTC), aware.utcoffset(), aware.tzname())
print(aware.timestamp(), datetime.fromtimestamp(0, UTC), datetime.fromtimestamp(1e9, tz))

for s in ["2024-05-06", "2024-W19-1", "20240506T101112", "2024-05-06 10:11:12.345+02:00", "2024-05-06T10:11Z"]:
    print(s, "->", repr(datetime.fromisoformat(s)))

print(datetime.strptime("03/Feb/2021:14:05:06 +0100", "%d/%b/%Y:%H:%M:%S %z"))
print(date.strptime("1999-07-04", "%Y-%m-%d"), time.strptime("07:08", "%H:%M"))
print(f"{start:%A %d %B %Y, %I:%M %p}", time(3, 4).isoformat(timespec="milliseconds"))
print(date(2024, 3, 31).replace(month=2, day=29), date.fromordinal(738000), date.max - date.min)
for bad in [lambda: date(2023, 2, 29), lambda: datetime.fromisoformat("2024-13-01"), lambda: start - aware, lambda: date.max + timedelta(1)]:
    try:
        bad()
    except Exception as e:
        print(type(e).__name__, e)
