#: promise = "A loop that asks the host for megabytes of randomness is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import os

while True:
    os.urandom(2**22)
