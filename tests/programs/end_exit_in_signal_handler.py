import os
import signal
import sys


def leave(number, frame):
    print("leaving")
    sys.exit(7)


signal.signal(signal.SIGTERM, leave)
try:
    os.kill(os.getpid(), signal.SIGTERM)
finally:
    print("finally")
