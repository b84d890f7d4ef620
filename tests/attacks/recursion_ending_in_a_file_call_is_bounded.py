#: promise = "A file call made from every depth of a deep stack does not overrun the stack of the host"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import os
import sys

sys.setrecursionlimit(10**9)


def down(value):
    os.stat(".")
    os.listdir(".")
    os.urandom(10)
    open("deep.txt", "a").close()
    return sorted([value, value], key=down)


try:
    down(1)
except (RecursionError, MemoryError):
    print("ok")
