import dis


def simple(a, b):
    total = a + b
    if total > 10:
        return total * 2
    return [x for x in range(total)]


def gen():
    yield 1


names = [i.opname for i in dis.get_instructions(simple)]
print("BINARY_OP" in names, "COMPARE_OP" in names, names[0], any(n.startswith("RETURN") for n in names))
print(simple.__code__.co_varnames, simple.__code__.co_argcount, simple.__code__.co_names, simple.__code__.co_name)
print([c for c in simple.__code__.co_consts if isinstance(c, int)])
print(sorted({i.argrepr for i in dis.get_instructions(simple) if i.opname == "BINARY_OP"}))
lines = [lineno for _, lineno in dis.findlinestarts(simple.__code__) if lineno is not None]
print(sorted(set(l - simple.__code__.co_firstlineno for l in lines)))
print(dis.code_info(gen).splitlines()[0], "GENERATOR" in dis.code_info(gen), dis.pretty_flags(gen.__code__.co_flags))
bc = dis.Bytecode("x = 1 + y")
print([i.opname for i in bc if "STORE" in i.opname or "LOAD_NAME" in i.opname], bc.codeobj.co_names)
print(dis.opmap["NOP"] in dis.opmap.values(), dis.opname[dis.opmap["POP_TOP"]], len(dis.hasjrel) > 0)
code = compile("a = [1, 2]\nb = a[0]", "<demo>", "exec")
print([(pos[0], pos[2]) for pos in code.co_positions() if pos[0]][-1])
print(code.co_filename, code.replace(co_name="renamed").co_name, code.co_stacksize > 0)
ns = {}
exec(code, ns)
print(ns["b"])
try:
    dis.dis(42)
except TypeError as e:
    print("TypeError:", e)
