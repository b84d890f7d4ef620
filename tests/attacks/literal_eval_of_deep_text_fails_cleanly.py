#: promise = "ast.literal_eval of deep text raises a Python exception or ends in a named limit"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import ast

for source in ("-" * 10**5 + "1", "[" * 10**5, "1" + "+1j" * 10**5, "(" * 150 + "," * 2):
    try:
        ast.literal_eval(source)
    except (SyntaxError, MemoryError, RecursionError, ValueError):
        continue
    raise AssertionError(source[:20])
print("ok")
