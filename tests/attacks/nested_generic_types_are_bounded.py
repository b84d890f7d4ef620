#: promise = "Printing, hashing and comparing generic types nested very deep harms the job only"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
alias = other = int
for _ in range(10**5):
    alias, other = list[alias], list[other]
for use in (repr, hash, lambda a: a == other, lambda a: a[int], lambda a: isinstance(1, a)):
    try:
        use(alias)
    except (RecursionError, TypeError):
        pass
print("ok")
