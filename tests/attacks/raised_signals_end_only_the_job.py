#: promise = "A job that raises SIGABRT on itself ends alone, or gets an exception"
#: outcome = ["completed", "crashed"]
#: stdout_has = ["before"]
import signal

print("before", flush=True)
for number in (signal.SIGINT, signal.SIGTERM, signal.SIGFPE, signal.SIGILL, signal.SIGSEGV, signal.SIGABRT):
    try:
        signal.raise_signal(number)
    except (OSError, ValueError, AttributeError, KeyboardInterrupt):
        pass
