#: promise = "Comparing deep tuples, lists and dictionaries raises RecursionError or ends in a named limit"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
for wrap in (lambda x: (x,), lambda x: [x], lambda x: {1: x}):
    left = right = None
    for _ in range(10**5):
        left, right = wrap(left), wrap(right)
    for compare in (lambda: left == right, lambda: left != right):
        try:
            compare()
        except RecursionError:
            continue
        raise AssertionError("the comparison returned")
print("ok")
