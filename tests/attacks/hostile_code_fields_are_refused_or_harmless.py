#: promise = "Code objects with impossible tables and sizes raise a Python exception or harm the job only"
#: wall_clock_ms = 2000
#: outcome = ["completed", "crashed", "stack_overflow", "memory_limit", "time_limit"]
#: stdout_has = ["before"]
def victim(a=1):
    try:
        return [x for x in (a, 1 / 0)]
    except ZeroDivisionError:
        raise


print("before", flush=True)
original = victim.__code__
changes = [("co_stacksize", n) for n in (-1, 0, 2**20, 2**30, 2**31 - 1, 2**31)] + [("co_argcount", n) for n in (-1, 100, 2**30)]
changes += [("co_exceptiontable", b), ("co_linetable", b)] if (b := b"\xff" * 100) else []
changes += [("co_consts", ()), ("co_names", ()), ("co_varnames", ()), ("co_flags", -1), ("co_flags", 0xFFFFFF)]
changes += [("co_nlocals", 10**6), ("co_freevars", ("x",) * 1000)]
for field, value in changes:
    try:
        victim.__code__ = original.replace(**{field: value})
        victim()
    except BaseException:
        pass
