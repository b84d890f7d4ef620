import atexit
import signal

atexit.register(print, "never")
print("before", flush=True)
signal.raise_signal(signal.SIGSEGV)
