#: promise = "Compiling and printing a syntax tree built by hand, nested very deep, fails cleanly or ends in a named limit"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import ast

place = {"lineno": 1, "col_offset": 0, "end_lineno": 1, "end_col_offset": 1}
tree = ast.Constant(1, **place)
for _ in range(10**5):
    tree = ast.UnaryOp(ast.USub(), tree, **place)
tree = ast.Expression(tree)
for use in (lambda: compile(tree, "s", "eval"), lambda: ast.dump(tree), lambda: ast.unparse(tree), lambda: ast.fix_missing_locations(tree)):
    try:
        use()
    except (RecursionError, ValueError, MemoryError):
        continue
    raise AssertionError("the tree was accepted")
print("ok")
