#: promise = "A busy wait on the clock is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
import time

end = time.monotonic() + 10**6
while time.monotonic() < end:
    pass
