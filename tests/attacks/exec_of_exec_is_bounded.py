#: promise = "Source that executes itself raises RecursionError or ends in a named limit"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
source = "exec(source)"
try:
    exec(source)
except (RecursionError, MemoryError):
    print("ok")
