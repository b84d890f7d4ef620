#: promise = "list(itertools.count()) ends in MemoryError, or the job is stopped for its memory"
#: wall_clock_ms = 30000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import itertools

try:
    list(itertools.count())
except MemoryError:
    print("ok")
