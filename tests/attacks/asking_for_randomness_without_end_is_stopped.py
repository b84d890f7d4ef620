#: promise = "Time spent making randomness counts as well"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]

import os
while True:
    os.urandom(50 << 20)
