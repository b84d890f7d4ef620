#: promise = "An exception hook that never returns is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import sys


def hook(*_):
    while True:
        pass


sys.excepthook = sys.unraisablehook = hook
1 / 0
