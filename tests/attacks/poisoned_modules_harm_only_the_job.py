#: promise = "A job that replaces all modules and the import system still ends, with an exit code"
#: outcome = ["completed", "crashed"]
#: stdout_has = ["before"]
import builtins
import sys

print("before", flush=True)
sys.path[:] = ["/evil"]
sys.meta_path.clear()
sys.path_hooks.clear()
for name in list(sys.modules):
    sys.modules[name] = None
builtins.__import__ = None
sys.modules.clear()
