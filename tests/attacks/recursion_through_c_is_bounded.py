#: promise = "Recursion that alternates between Python and C, with the limit lifted, ends in a Python exception or a named limit"
#: wall_clock_ms = 20000
#: outcome = ["completed", "memory_limit", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import sys

sys.setrecursionlimit(10**9)


def down(value):
    return max(map(down, [value]))


try:
    down(1)
except (RecursionError, MemoryError):
    print("ok")
