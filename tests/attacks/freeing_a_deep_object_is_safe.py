#: promise = "Freeing a million nested containers does not exhaust the stack"
#: wall_clock_ms = 30000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
for wrap in (lambda x: [x], lambda x: (x,), lambda x: {1: x}, lambda x: iter([x])):
    deep = None
    for _ in range(10**6):
        deep = wrap(deep)
    del deep
print("ok")
