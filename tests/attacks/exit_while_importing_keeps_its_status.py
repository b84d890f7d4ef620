#: promise = "os._exit in the middle of an import ends the job with its status"
#: outcome = ["completed"]
#: exit_code = 9
#: stdout = "importing\n"
import importlib
import sys

with open("leaver.py", "w") as file:
    file.write("import os\nprint('importing', flush=True)\nos._exit(9)\n")
sys.path.insert(0, ".")
importlib.invalidate_caches()
importlib.import_module("leaver")
