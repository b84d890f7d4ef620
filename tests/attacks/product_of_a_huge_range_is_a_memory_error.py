#: promise = "itertools.product, which copies its input first, ends in MemoryError"
#: wall_clock_ms = 30000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import itertools

try:
    next(itertools.product(range(10**9), repeat=2))
except MemoryError:
    print("ok")
