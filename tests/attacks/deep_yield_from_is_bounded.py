#: promise = "A generator that delegates to itself without end raises a Python exception or ends in a named limit"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
def endless():
    yield from endless()


def deep(inner):
    yield from inner


try:
    next(endless())
except RecursionError:
    pass
chain = iter([1, 2])
for _ in range(50_000):
    chain = deep(chain)
for use in (lambda: next(chain), lambda: chain.throw(ValueError), lambda: chain.close()):
    try:
        use()
    except (RecursionError, ValueError, StopIteration):
        pass
del chain
print("ok")
