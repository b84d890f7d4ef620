import compileall
import importlib.util
import marshal
import os
import py_compile
import sys

os.makedirs("pkg/sub")
for name, text in {"pkg/__init__.py": "", "pkg/a.py": "A = 1\n", "pkg/sub/b.py": "def b():\n    return 'b'\n", "pkg/bad.py": "x ==\n"}.items():
    with open(name, "w") as fh:
        fh.write(text)
out = py_compile.compile("pkg/a.py", cfile="a_out.pyc", doraise=True, invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH)
print(out, os.path.getsize(out) > 16)
with open(out, "rb") as fh:
    data = fh.read()
print(data[:4] == importlib.util.MAGIC_NUMBER, data[4:8])
ns = {}
exec(marshal.loads(data[16:]), ns)
print(ns["A"])
try:
    py_compile.compile("pkg/bad.py", doraise=True)
except py_compile.PyCompileError as e:
    print(e.exc_type_name, e.file)
print(compileall.compile_dir("pkg/sub", quiet=1), compileall.compile_file("pkg/bad.py", quiet=2))
cached = [os.path.join(r, f) for r, _, fs in os.walk("pkg") for f in fs if f.endswith(".pyc")]
print(len(cached), [os.path.basename(c).split(".")[0] for c in cached])
print(os.path.basename(importlib.util.cache_from_source("m.py")) == f"m.{sys.implementation.cache_tag}.pyc", importlib.util.source_from_cache("__pycache__/m.cpython-314.pyc"))
os.rename("a_out.pyc", "sourceless.pyc")
sys.path.insert(0, os.getcwd())
import sourceless
print(sourceless.A, os.path.basename(sourceless.__file__), type(sourceless.__loader__).__name__)
code = compile("lambda x: x + 1", "<m>", "eval")
fn = eval(marshal.loads(marshal.dumps(code)))
print(fn(1), marshal.loads(marshal.dumps([1, "a", 2.5, (None, True), {"k": b"v"}, 3j, frozenset([1])])))
try:
    marshal.dumps(object())
except ValueError as e:
    print("ValueError:", e)
try:
    marshal.loads(b"")
except EOFError as e:
    print("EOFError:", e)
