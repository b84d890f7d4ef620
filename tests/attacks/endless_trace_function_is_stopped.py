#: promise = "A trace function that never returns is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import sys


def trace(frame, event, argument):
    while True:
        pass


sys.settrace(trace)
(lambda: None)()
