#: promise = "Exceptions in exit handlers are reported, the other handlers run, and the status stays"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "first registered\n"
#: stderr_has = ["ZeroDivisionError"]
import atexit
import sys

atexit.register(lambda: print("first registered"))
atexit.register(lambda: 1 / 0)
atexit.register(sys.exit, 3)
