#: promise = "Sleeping does not use up the CPU budget"
#: wall_clock_ms = 5000
#: fuel = 1000000000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import time

start = time.monotonic()
for _ in range(10):
    time.sleep(0.1)
assert time.monotonic() - start >= 0.95, "the sleep was cut short"
print("ok")
