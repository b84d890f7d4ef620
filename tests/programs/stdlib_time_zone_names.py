import time
from datetime import datetime, timezone, timedelta

stamps = [0, 86399, 1_234_567_890]
for s in stamps:
    t = time.gmtime(s)
    print(s, time.strftime("%a, %d %b %Y %H:%M:%S %z", t), t.tm_zone, time.strftime("%Z", t))
    d = datetime.fromtimestamp(s, timezone.utc)
    print(d.strftime("%a, %d %b %Y %H:%M:%S %Z%z"), d.tzname())

offsets = [timezone(timedelta(hours=h, minutes=m)) for h, m in ((0, 0), (-3, -30), (14, 0), (5, 45))]
for tz in offsets:
    d = datetime(2020, 1, 1, 12, tzinfo=tz)
    print(tz, d.strftime("%Z %z %:z"), d.astimezone(timezone.utc).isoformat())
print(repr(timezone.utc), timezone.min, timezone.max)
try:
    timezone(timedelta(hours=25))
except ValueError as e:
    print("ValueError:", str(e).split("(")[0])
