import code
import codeop
import io
from contextlib import redirect_stderr, redirect_stdout

console = code.InteractiveConsole({"x": 10})
out, err = io.StringIO(), io.StringIO()
LINES = ["x + 1", "def f(a):", "    return a * 2", "", "f(x)", "1 / 0", "y = = 2", "for i in range(2):", "    print('i', i)", "", "_"]
for line in LINES:
    out, err = io.StringIO(), io.StringIO()
    with redirect_stdout(out), redirect_stderr(err):
        more = console.push(line)
    errline = err.getvalue().strip().splitlines()[-1:]
    print(f"{line!r:28} more={more!s:5} out={out.getvalue()!r} err={errline}")

for src in ("a = 1", "if True:", "(1, 2", "def g():\n  pass\n", "'''open", "x = )", "while 1: break"):
    try:
        result = codeop.compile_command(src)
        print(repr(src), "complete" if result else "incomplete")
    except SyntaxError as e:
        print(repr(src), "error", e.msg)
compiler = codeop.CommandCompiler()
ns = {}
exec(compiler("z = 5\n"), ns)
print(ns["z"])
interp = code.InteractiveInterpreter()
buf = io.StringIO()
with redirect_stderr(buf), redirect_stdout(buf):
    print(interp.runsource("print('run', 3 ** 3)"), interp.runsource("if 1:"))
print(buf.getvalue())
lines = iter(["a = 6", "a * 7", "exit()"])


def fake_input(prompt=""):
    print(prompt, end="")
    try:
        return next(lines)
    except StopIteration:
        raise EOFError


try:
    with redirect_stderr(io.StringIO()) as e:
        code.interact(banner="hi", readfunc=fake_input, local={}, exitmsg="done", local_exit=False)
except SystemExit as e:
    print("SystemExit", e.code)
