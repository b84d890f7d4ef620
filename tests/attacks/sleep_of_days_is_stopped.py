#: promise = "A sleep of days is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
#: stdout_has = ["good night"]
import time

print("good night")
time.sleep(1e6)
