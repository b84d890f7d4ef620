#: promise = "A sleep at the bottom of a deep stack is stopped at the deadline"
#: wall_clock_ms = 1500
#: outcome = ["time_limit", "stack_overflow"]
import sys
import time

sys.setrecursionlimit(10**9)


def down(value):
    try:
        return list(map(down, [value]))
    except RecursionError:
        time.sleep(1e6)


down(1)
