#: promise = "A module that never finishes importing is stopped at the deadline"
#: wall_clock_ms = 600
#: outcome = ["time_limit"]
#: stdout_has = ["importing"]
import importlib
import sys

with open("endless_module.py", "w") as file:
    file.write("print('importing')\nwhile True:\n    pass\n")
sys.path.insert(0, ".")
importlib.invalidate_caches()
importlib.import_module("endless_module")
