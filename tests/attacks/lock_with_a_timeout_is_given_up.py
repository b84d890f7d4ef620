#: promise = "Waiting for a lock, an event or a queue with a timeout gives up after that time"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import queue
import threading
import time

start = time.monotonic()
lock = threading.Lock()
assert lock.acquire()
assert not lock.acquire(timeout=0.05)
assert not lock.acquire(blocking=False)
assert not threading.Event().wait(0.05)
try:
    queue.Queue().get(timeout=0.05)
except queue.Empty:
    pass
assert time.monotonic() - start >= 0.14, "the waits returned at once"
print("ok")
