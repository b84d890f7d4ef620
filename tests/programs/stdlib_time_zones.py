"""Local time follows TZ: rules and names of the time zone database, daylight time, and what mktime makes of it."""
import datetime
import hashlib
import os
import random
import time


def use(zone):
    if zone is None:
        os.environ.pop("TZ", None)
    else:
        os.environ["TZ"] = zone
    time.tzset()


ZONES = ["America/New_York", "Europe/Berlin", "Asia/Tokyo", "Asia/Kolkata", "Australia/Lord_Howe", "America/St_Johns", "Europe/Dublin",
         "Pacific/Apia", "America/Sao_Paulo", "Asia/Kathmandu", "Antarctica/Troll", "UTC", "Etc/GMT+5",
         ":Europe/Paris", "EST5EDT,M3.2.0,M11.1.0", "CET-1CEST,M3.5.0,M10.5.0/3", "<+0330>-3:30", "NZST-12NZDT,M9.5.0,M4.1.0/3",
         "XXX3", "GMT+14", "AAA-5:30:15BBB,J60/0,300/-1", "WGT3WGST,M3.5.0/-2,M10.5.0/-1", "GMT+23:59:59", "Nowhere/Town", "nonsense", "AB1", "AAA5BB",
         "/usr/share/zoneinfo/Asia/Tokyo", "../zoneinfo/Asia/Tokyo", "AAA5BBB,M3.2.0", "AAA5BBB,bad"]
STAMPS = [0, 86400 * 182, -2 * 10**9, 10**9, 1678603500, 1700000000, 1711846800, 1720000000, 1730595599, 1730595600, 4 * 10**9, 10**11]
rules = random.Random(5)
for zone in ZONES:
    use(zone)
    print(zone, time.tzname, time.timezone, time.altzone, time.daylight)
    found = [time.localtime(stamp) for stamp in STAMPS]
    print(" ", [(t.tm_year, t.tm_yday, t.tm_hour, t.tm_min, t.tm_sec, t.tm_isdst, t.tm_gmtoff, t.tm_zone) for t in found])
    print(" ", datetime.datetime.fromtimestamp(10**9).isoformat(), datetime.datetime(2024, 7, 1, 12).timestamp(),
          datetime.datetime(2024, 1, 1).astimezone().isoformat(), datetime.datetime(2024, 7, 1, 12).astimezone().tzname(),
          time.strftime("%Z %z %s", found[7]), time.ctime(0))
    seen = hashlib.sha256()
    for _ in range(1000):
        stamp = rules.randint(-10**9, 3 * 10**9)
        seen.update(repr(tuple(time.localtime(stamp)) + (time.localtime(stamp).tm_gmtoff, time.mktime(time.localtime(stamp)))).encode())
        fields = (rules.randint(1950, 2040), rules.randint(-20, 40), rules.randint(-50, 400), rules.randint(-30, 60), rules.randint(-100, 100), 0, 0, 0,
                  rules.choice((-1, 0, 1)))
        seen.update(repr(time.mktime(fields)).encode())
    print(" ", seen.hexdigest()[:16])

use("America/New_York")
print([time.mktime((2024, 3, 10, 2, 30, 0, 0, 0, dst)) for dst in (-1, 0, 1)], [time.mktime((2024, 11, 3, 1, 30, 0, 0, 0, dst)) for dst in (-1, 0, 1)])
print([datetime.datetime(2024, 11, 3, 1, 30, fold=fold).timestamp() for fold in (0, 1)], datetime.datetime(2024, 3, 10, 2, 30).timestamp())
print(datetime.datetime.fromtimestamp(1730613600).astimezone(), datetime.datetime.now().astimezone().tzinfo)
for stamp in (10**18, -10**18, float("nan")):
    try:
        print(time.localtime(stamp))
    except (OverflowError, OSError, ValueError) as error:
        print(type(error).__name__, error)
use(None)
print(time.tzname, time.timezone, time.localtime(0).tm_zone)
