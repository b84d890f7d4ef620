#: promise = "Endless recursion with the recursion limit lifted ends in a Python exception or in a named limit"
#: wall_clock_ms = 30000
#: outcome = ["completed", "memory_limit", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import sys

sys.setrecursionlimit(10**9)


def down():
    return down()


try:
    down()
except (RecursionError, MemoryError):
    print("ok")
