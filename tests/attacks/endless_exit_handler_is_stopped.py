#: promise = "An atexit handler that never returns is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
#: stdout_has = ["in the handler"]
import atexit


@atexit.register
def handler():
    print("in the handler")
    while True:
        pass
