#: promise = "Waiting for an event, a queue or a semaphore that nobody serves ends in an error, a named crash or at the deadline"
#: wall_clock_ms = 600
#: outcome = ["completed", "crashed", "time_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import queue
import threading

for wait in (threading.Event().wait, queue.Queue().get, threading.Semaphore(0).acquire, queue.SimpleQueue().get):
    try:
        wait()
    except RuntimeError:
        continue
    raise AssertionError(f"{wait} returned")
print("ok")
