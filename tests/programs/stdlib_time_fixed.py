import time
import calendar

for stamp in (0, 951782400, 1_000_000_000, 1709164800, 2**31 - 1, -1, 253402300799):
    t = time.gmtime(stamp)
    print(stamp, tuple(t), time.strftime("%Y-%m-%dT%H:%M:%SZ", t), calendar.timegm(t) == stamp)

t = time.gmtime(1_700_000_000)
for code in "aAbBdHIjmMpSUwWxXyYcDeFGhnRtTuV%":
    print(code, repr(time.strftime("%" + code, t)))
print(time.asctime(t), t.tm_gmtoff, t.tm_yday, t.tm_isdst)
print(time.strptime("30 Nov 00", "%d %b %y"))
print(time.strptime("Sat Jul  4 12:30:00 2015"))
print(time.strptime("2024-060", "%Y-%j")[:3], time.strptime("11:59 PM", "%I:%M %p")[3:5])
for text, fmt in [("2024-02-30x", "%Y-%m-%d"), ("abc", "%Y"), ("99", "%H")]:
    try:
        time.strptime(text, fmt)
    except ValueError as e:
        print("ValueError:", e)
print(time.struct_time(range(9)), isinstance(time.time(), float), time.monotonic() <= time.monotonic())
print(time.perf_counter_ns() <= time.perf_counter_ns(), time.get_clock_info("monotonic").monotonic)
before = time.monotonic()
time.sleep(0.02)
print(time.monotonic() - before >= 0.019)
try:
    time.sleep(-1)
except ValueError as e:
    print("ValueError:", e)
try:
    time.strftime("%Y", (2024, 13, 1, 0, 0, 0, 0, 1, 0))
except ValueError as e:
    print("ValueError:", e)
