#: promise = "The hidden buffer of itertools.tee is counted as memory like any other"
#: wall_clock_ms = 30000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import collections
import itertools


def grow():
    fast, slow = itertools.tee(bytes(1000) for _ in itertools.count())
    collections.deque(fast, maxlen=0)
    return slow


try:
    grow()
except MemoryError:
    print("ok")
