#: promise = "Compiling a million open parentheses raises a Python exception or ends in a named limit"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import ast

for source in ("(" * 10**6, "[" * 10**6, "{" * 10**6, "(" * 10**6 + ")" * 10**6, "f(" * 10**5 + ")" * 10**5):
    for parse in (lambda: compile(source, "s", "eval"), lambda: ast.parse(source), lambda: eval(source)):
        try:
            parse()
        except (SyntaxError, MemoryError, RecursionError):
            continue
        raise AssertionError("the source was accepted")
print("ok")
