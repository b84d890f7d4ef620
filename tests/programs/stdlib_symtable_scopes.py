import symtable

SRC = """
import os
G = 1
def outer(a, b=2):
    global G
    c = a
    def inner(d):
        nonlocal c
        c = d + b
        return [e for e in range(c)]
    G = inner
    return lambda z: z + c
class K:
    attr = G
    def method(self):
        return self.attr
type Alias[T] = list[T]
"""


def show(table, indent=0):
    pad = "  " * indent
    print(f"{pad}{table.get_type()} {table.get_name()} nested={table.is_nested()} line={table.get_lineno()}")
    for sym in sorted(table.get_symbols(), key=lambda s: s.get_name()):
        flags = [n[3:] for n in ("is_global", "is_local", "is_free", "is_parameter", "is_nonlocal", "is_imported", "is_assigned", "is_namespace")
                 if getattr(sym, n)()]
        print(f"{pad}  - {sym.get_name()}: {' '.join(flags)}")
    for child in table.get_children():
        show(child, indent + 1)


top = symtable.symtable(SRC, "<src>", "exec")
show(top)
outer = top.lookup("outer").get_namespace()
print(outer.get_parameters(), sorted(outer.get_locals()), sorted(outer.get_globals()), outer.get_frees())
print(top.lookup("K").get_namespace().get_type(), sorted(top.get_identifiers()))
try:
    symtable.symtable("def f(: pass", "<bad>", "exec")
except SyntaxError as e:
    print("SyntaxError:", e.msg)
try:
    top.lookup("nosuch")
except KeyError as e:
    print("KeyError:", e)
