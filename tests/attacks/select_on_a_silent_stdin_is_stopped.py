#: promise = "select on a standard input that says nothing is stopped at the deadline"
#: wall_clock_ms = 400
#: stdin_open = true
#: outcome = ["time_limit"]
import os
import select

while True:
    readable, _, _ = select.select([0], [], [], 1e6)
    if readable:
        os.read(0, 1)
