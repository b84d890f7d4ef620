#: promise = "A tower of subclasses, whose cost grows with its square, ends in a limit or in a Python exception"
#: wall_clock_ms = 1500
#: outcome = ["completed", "time_limit", "memory_limit", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
base = object
try:
    for _ in range(10**5):
        base = type("C", (base,), {})
except (MemoryError, RecursionError):
    del base
print("ok")
