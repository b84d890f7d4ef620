#: promise = "Writing a deep or a cyclic object as JSON raises a Python exception or ends in a named limit"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import json

deep, cyclic = [], []
for _ in range(10**5):
    deep = [deep]
cyclic.append(cyclic)
for value in (deep, cyclic):
    for options in ({}, {"indent": 1}, {"check_circular": False}):
        try:
            json.dumps(value, **options)
        except (RecursionError, ValueError, MemoryError):
            continue
        raise AssertionError("the object was written")
print("ok")
