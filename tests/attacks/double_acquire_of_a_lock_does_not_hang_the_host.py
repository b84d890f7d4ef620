#: promise = "A deadlock on one lock ends in an error, a named crash or at the deadline"
#: wall_clock_ms = 600
#: outcome = ["completed", "crashed", "time_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import threading

lock = threading.Lock()
lock.acquire()
try:
    lock.acquire()
except RuntimeError:
    print("ok")
