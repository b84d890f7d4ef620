#: promise = "Compiling deeply nested expressions and statements raises a Python exception or ends in a named limit"
#: wall_clock_ms = 30000
#: outcome = ["completed", "stack_overflow", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import ast

n = 50_000
sources = ["-" * n + "1", "not " * n + "1", "x" + "+x" * n, "x" + ".a" * n, "x" + "[0]" * n, "x" + "()" * n]
sources += ["lambda: " * n + "1", "1 if x else " * n + "1", "x" + " if x else x" * n, "a = " * n + "1", "await " * n + "x"]
sources += ["if x: pass\n" + "elif x: pass\n" * n, "x" + "**x" * n, "f'{" * 1000, "x" + " and (x or" * 90, "@x\n" * n + "def f(): pass"]
sources += ["for x in y: " * 100, "".join(" " * d + "if x:\n" for d in range(150)), "match x:\n case " + "[" * 150]
for source in sources:
    for parse in (lambda: ast.parse(source), lambda: compile(source, "s", "exec")):
        try:
            parse()
        except (SyntaxError, MemoryError, RecursionError):
            pass
print("ok")
