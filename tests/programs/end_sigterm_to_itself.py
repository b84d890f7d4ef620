# Ends as the shell tells of it: 128 and the number.
import os
import signal

print("before", flush=True)
os.kill(os.getpid(), signal.SIGTERM)
print("never")
