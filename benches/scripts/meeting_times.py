from datetime import datetime, timedelta, timezone

OFFICES = {
    "San Francisco": timezone(timedelta(hours=-8), "PST"),
    "London": timezone.utc,
    "Berlin": timezone(timedelta(hours=1), "CET"),
    "Mumbai": timezone(timedelta(hours=5, minutes=30), "IST"),
}
WORK_START, WORK_END = 8, 19


def comfort(moment):
    hour = moment.hour + moment.minute / 60
    if WORK_START <= hour < WORK_END:
        return 0
    return min(abs(hour - WORK_START), abs(hour - WORK_END), 24 - abs(hour - WORK_END))


def best_slot(day):
    start = day.replace(hour=0, minute=0, tzinfo=timezone.utc)
    slots = [start + timedelta(minutes=30 * i) for i in range(48)]
    return min(slots, key=lambda slot: sum(comfort(slot.astimezone(zone)) ** 2 for zone in OFFICES.values()))


meeting = best_slot(datetime(2025, 1, 15))
print("Best slot:", meeting.isoformat(timespec="minutes"))
for city, zone in OFFICES.items():
    local = meeting.astimezone(zone)
    note = "" if comfort(local) == 0 else "  (outside office hours)"
    print(f"{city:<14} {local:%a %H:%M %Z (UTC%z)}{note}")

parsed = datetime.fromisoformat("2025-01-15T16:45:00+05:30")
print("Gap:", meeting - parsed)
print("Epoch:", int(meeting.timestamp()))
for week in range(1, 4):
    print("Repeats:", f"{meeting + timedelta(weeks=week):%d %b %Y, %I:%M %p}")
