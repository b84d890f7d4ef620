#: promise = "Running code objects whose bytecode is garbage harms the job only"
#: wall_clock_ms = 2000
#: outcome = ["completed", "crashed", "time_limit", "stack_overflow", "memory_limit"]
#: stdout_has = ["before"]
import random


def victim(a=1, b=2):
    return [a, b, (a, b)]


print("before", flush=True)
random.seed(20)
size = len(victim.__code__.co_code)
original = victim.__code__
for _ in range(2000):
    try:
        victim.__code__ = original.replace(co_code=random.randbytes(size), co_stacksize=random.choice((0, 1, 5, 50)))
        victim()
    except BaseException:
        pass
