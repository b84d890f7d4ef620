#: promise = "Deeply nested exception groups are split and reported, or end in a named limit"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow", "time_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import sys
import traceback

group = ValueError("the first")
for _ in range(20_000):
    group = ExceptionGroup("nested", [group])
for use in (lambda: group.split(TypeError), lambda: repr(group), lambda: traceback.format_exception(group)):
    try:
        use()
    except RecursionError:
        pass
sys.stderr.write("survived\n")
print("ok")
