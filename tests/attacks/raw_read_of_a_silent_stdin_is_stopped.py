#: promise = "A raw read of descriptor 0 that never gets data is stopped at the deadline"
#: wall_clock_ms = 400
#: stdin_open = true
#: outcome = ["time_limit"]
import os

while True:
    os.read(0, 2**20)
