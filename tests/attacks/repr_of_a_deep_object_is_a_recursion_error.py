#: promise = "repr of deep containers raises RecursionError or ends in a named limit"
#: wall_clock_ms = 30000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
for wrap in (lambda x: [x], lambda x: (x,), lambda x: {1: x}):
    deep = wrap(0)
    for _ in range(10**5):
        deep = wrap(deep)
    try:
        repr(deep)
    except RecursionError:
        continue
    raise AssertionError("the object was printed")
print("ok")
