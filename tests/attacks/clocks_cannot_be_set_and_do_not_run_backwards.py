#: promise = "Clocks of a job start sanely, advance, and cannot be set"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import time

for clock in (time.time, time.monotonic, time.perf_counter, time.process_time):
    readings = [clock() for _ in range(1000)]
    assert readings == sorted(readings), clock
    assert readings[0] >= 0, clock
assert time.process_time() < 60
assert time.time() > 1_700_000_000
try:
    time.clock_settime(time.CLOCK_REALTIME, 0)
except (OSError, AttributeError):
    print("ok")
