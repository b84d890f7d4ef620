from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

NY = ZoneInfo("America/New_York")
moment = datetime(2024, 3, 10, 6, 30, tzinfo=timezone.utc)
for _ in range(4):
    local = moment.astimezone(NY)
    print(moment.isoformat(), "->", local.isoformat(), local.tzname(), local.dst())
    moment += timedelta(minutes=30)

ambiguous = datetime(2024, 11, 3, 1, 30, tzinfo=NY)
print(ambiguous.utcoffset(), ambiguous.replace(fold=1).utcoffset())
print(ambiguous.replace(fold=1).timestamp() - ambiguous.timestamp())

meeting = datetime(2024, 7, 15, 17, 0, tzinfo=ZoneInfo("Europe/London"))
for name in ["UTC", "America/Los_Angeles", "Asia/Kolkata", "Asia/Tokyo", "Australia/Sydney", "Pacific/Chatham"]:
    there = meeting.astimezone(ZoneInfo(name))
    print(f"{name:22} {there:%Y-%m-%d %H:%M %Z%z}")

print(ZoneInfo("Europe/Paris").key, str(NY), ZoneInfo("Europe/Paris") is ZoneInfo("Europe/Paris"))
print(datetime(1990, 1, 1, tzinfo=ZoneInfo("Europe/Amsterdam")).utcoffset())
print(datetime(2045, 7, 1, tzinfo=NY).tzname())
try:
    ZoneInfo("Mars/Olympus_Mons")
except ZoneInfoNotFoundError as e:
    print(type(e).__name__, e)
