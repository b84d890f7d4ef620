#: promise = "hash of a million nested tuples, which CPython does not guard, harms the job only"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
deep = ()
for _ in range(10**6):
    deep = (deep,)
try:
    hash(deep)
except RecursionError:
    pass
print("ok")
