#: promise = "An endless row of tiny sleeps is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
import time

while True:
    time.sleep(0)
    time.sleep(1e-9)
