#: promise = "A dictionary that grows for ever ends in MemoryError, or the job is stopped for its memory"
#: wall_clock_ms = 30000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import itertools


def grow():
    table = {}
    for number in itertools.count():
        table[number] = str(number)


try:
    grow()
except MemoryError:
    print("ok")
