#: promise = "A job that is 50,000 frames deep at its deadline is stopped like any other"
#: wall_clock_ms = 1500
#: outcome = ["time_limit", "memory_limit", "stack_overflow"]
import sys

sys.setrecursionlimit(10**9)


def down(depth):
    if depth:
        down(depth - 1)
    while True:
        pass


down(50_000)
