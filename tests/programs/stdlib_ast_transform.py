import ast

SOURCE = """
def compute(x, y=2 + 3):
    total = 0
    for i in range(10 * 60):
        total += i ** 2 if x else -y
    return total, "a" + "b"
"""


class Folder(ast.NodeTransformer):
    OPS = {ast.Add: lambda a, b: a + b, ast.Mult: lambda a, b: a * b, ast.Pow: lambda a, b: a ** b}

    def visit_BinOp(self, node):
        self.generic_visit(node)
        if isinstance(node.left, ast.Constant) and isinstance(node.right, ast.Constant):
            fn = self.OPS.get(type(node.op))
            if fn:
                return ast.copy_location(ast.Constant(fn(node.left.value, node.right.value)), node)
        return node


class Names(ast.NodeVisitor):
    def __init__(self):
        self.loads, self.stores = set(), set()

    def visit_Name(self, node):
        (self.stores if isinstance(node.ctx, ast.Store) else self.loads).add(node.id)


tree = ast.parse(SOURCE)
names = Names()
names.visit(tree)
print(sorted(names.loads), sorted(names.stores))
print(ast.dump(tree.body[0].args, indent=2))
folded = ast.fix_missing_locations(Folder().visit(tree))
print(ast.unparse(folded))
ns = {}
exec(compile(folded, "<folded>", "exec"), ns)
print(ns["compute"](True), ns["compute"](False))
print(ast.literal_eval("{'a': [1, -2.5, (None, True)], 'b': {3}, 'c': b'x'}"))
for bad in ("__import__('os')", "1 + 1", "[x for x in y]", "f()"):
    try:
        print(ast.literal_eval(bad))
    except ValueError as e:
        print("ValueError:", str(e).split(" on line")[0].split(":")[0])
for src in ("x = 1; y: int = 2", "lambda a, *b, **c: a", "f'{x!r:>{w}}'", "a if b else c", "not a or b and c", "x[1:2, ::3]", "(yield)"):
    print(ast.unparse(ast.parse(src)).replace("\n", "; "))
call = ast.parse("f(a, *b, k=1)", mode="eval").body
print(call.lineno, call.col_offset, call.end_col_offset, ast.get_source_segment("f(a, *b, k=1)", call.args[1]))
print(sum(1 for _ in ast.walk(tree)) > 30, ast.get_docstring(ast.parse("'doc'")), ast.dump(ast.parse("1;x", mode="exec"), indent=None))
