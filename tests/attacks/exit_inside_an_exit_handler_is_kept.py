#: promise = "os._exit inside an exit handler decides the exit status"
#: outcome = ["completed"]
#: exit_code = 5
#: stdout = "last handler\n"
import atexit
import os

atexit.register(lambda: print("never"))
atexit.register(os._exit, 5)
atexit.register(lambda: print("last handler", flush=True))
