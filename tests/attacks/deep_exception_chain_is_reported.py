#: promise = "An uncaught exception with a hundred thousand causes is reported, or ends in a named limit"
#: wall_clock_ms = 20000
#: output_bytes = 65536
#: outcome = ["completed", "stack_overflow", "time_limit"]
#: exit_code = 1
#: stdout = "before\n"
print("before")
error = ValueError("the first")
for number in range(10**5):
    following = ValueError(number)
    following.__cause__ = error
    error = following
raise error
