#: promise = "A job that sends itself the strongest signal there is ends alone, or gets an exception"
#: outcome = ["completed", "crashed"]
#: stdout_has = ["before"]
import os
import signal

print("before", flush=True)
for number in (getattr(signal, "SIGKILL", 9), signal.SIGSEGV, signal.SIGTERM):
    try:
        os.kill(os.getpid(), number)
    except (OSError, AttributeError, NotImplementedError):
        pass
