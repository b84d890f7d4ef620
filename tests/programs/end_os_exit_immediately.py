import atexit
import os
import sys

atexit.register(print, "atexit must not run")


class Loud:
    def __del__(self):
        print("del must not run")


keep = Loud()
print("before")
sys.stdout.flush()
sys.stderr.write("to stderr before _exit\n")
try:
    os._exit(7)
finally:
    print("finally must not run")
