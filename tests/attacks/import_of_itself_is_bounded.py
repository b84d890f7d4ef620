#: promise = "Modules that reload each other for ever end in RecursionError or a named limit"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import importlib
import sys

with open("again.py", "w") as file:
    file.write("import sys\ndel sys.modules['again']\nimport again\n")
sys.path.insert(0, ".")
importlib.invalidate_caches()
try:
    import again
except (RecursionError, ImportError, KeyError):
    print("ok")
