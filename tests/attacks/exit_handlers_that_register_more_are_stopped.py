#: promise = "Exit handlers that register themselves again do not outlive the deadline"
#: wall_clock_ms = 700
#: outcome = ["completed", "time_limit", "memory_limit"]
import atexit


def handler():
    atexit.register(handler)
    atexit.register(handler)


handler()
