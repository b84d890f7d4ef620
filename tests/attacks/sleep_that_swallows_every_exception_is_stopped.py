#: promise = "A sleeper that catches everything and sleeps again is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
import time

while True:
    try:
        time.sleep(1e6)
    except BaseException:
        pass
    finally:
        time.sleep(1e6)
