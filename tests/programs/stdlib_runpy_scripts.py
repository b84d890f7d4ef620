import os
import runpy
import sys

os.makedirs("tool")
FILES = {
    "script.py": "import sys\nprint('script', __name__, sys.argv[1:], GREETING)\nresult = 6 * 7\n",
    "tool/__init__.py": "print('tool init')\n",
    "tool/__main__.py": "print('tool main', __name__, __package__)\nstatus = 'ran'\n",
    "tool/util.py": "print('util as', __name__)\nimport sys\nsys.exit(3)\n",
    "failing.py": "def f():\n    return 1 / 0\nf()\n",
    "dirapp.py": "",
}
for name, text in FILES.items():
    with open(name, "w") as fh:
        fh.write(text)
sys.path.insert(0, os.getcwd())
sys.argv = ["prog", "a1", "a2"]
g = runpy.run_path("script.py", init_globals={"GREETING": "hey"}, run_name="custom")
print(g["result"], g["__name__"], sorted(k for k in g if not k.startswith("__")))
g = runpy.run_module("tool", run_name="__main__")
print(g["status"])
g = runpy.run_path("tool", run_name="as_dir")
print(g["__name__"], g["status"])
try:
    runpy.run_module("tool.util", run_name="__main__", alter_sys=True)
except SystemExit as e:
    print("SystemExit", e.code)
try:
    runpy.run_path("failing.py")
except ZeroDivisionError as e:
    tb = e.__traceback__
    while tb.tb_next:
        tb = tb.tb_next
    print(e, tb.tb_frame.f_code.co_name, tb.tb_lineno)
for bad in (lambda: runpy.run_module("no.such"), lambda: runpy.run_path("absent.py"), lambda: runpy.run_module("nosuch")):
    try:
        bad()
    except (ImportError, OSError) as e:
        print(type(e).__name__, str(e).split(":")[0])
print(__name__, sys.argv)
