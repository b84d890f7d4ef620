import atexit
import os
import signal

atexit.register(print, "at exit")
try:
    os.kill(os.getpid(), signal.SIGINT)
finally:
    print("finally")
