from collections import defaultdict
from datetime import datetime, timedelta

ENTRIES = """
2025-06-02 08:55 12:10 website
2025-06-02 13:00 17:45 website
2025-06-03 09:10 12:00 meetings
2025-06-03 12:30 18:20 backend
2025-06-04 22:30 01:15 deployment
2025-06-05 08:00 16:30 backend
2025-06-06 09:00 09:00 meetings
"""


def parse(line):
    day, start, end, project = line.split()
    begin = datetime.strptime(f"{day} {start}", "%Y-%m-%d %H:%M")
    finish = datetime.strptime(f"{day} {end}", "%Y-%m-%d %H:%M")
    if finish < begin:
        finish += timedelta(days=1)
    return begin, finish - begin, project


def hours(duration):
    minutes = int(duration.total_seconds() // 60)
    return f"{minutes // 60:>3}:{minutes % 60:02}"


per_day, per_project = defaultdict(timedelta), defaultdict(timedelta)
for line in ENTRIES.strip().splitlines():
    begin, duration, project = parse(line)
    if not duration:
        print(f"warning: empty entry on {begin:%A}")
        continue
    per_day[begin.date()] += duration
    per_project[project] += duration

for day, duration in per_day.items():
    overtime = duration - timedelta(hours=8)
    extra = f"  (+{hours(overtime).strip()})" if overtime > timedelta(0) else ""
    print(f"{day:%a %d.%m.%Y} {hours(duration)}{extra}")
total = sum(per_day.values(), timedelta())
print(f"{'Total':<14} {hours(total)}  week {begin.isocalendar().week}")
for project, duration in sorted(per_project.items(), key=lambda pair: pair[1], reverse=True):
    print(f"{project:<12}{duration / total:>7.1%}")
