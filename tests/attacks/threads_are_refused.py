#: promise = "Starting a thread, in any way, raises RuntimeError"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import _thread
import concurrent.futures
import multiprocessing.dummy
import threading

for attempt in (
    lambda: threading.Thread(target=print, args=("thread",)).start(),
    lambda: threading.Timer(0, print).start(),
    lambda: _thread.start_new_thread(print, ()),
    lambda: concurrent.futures.ThreadPoolExecutor().submit(print, "thread"),
    lambda: list(concurrent.futures.ThreadPoolExecutor(2).map(print, "ab")),
):
    try:
        attempt()
    except RuntimeError as error:
        assert "can't start new thread" in str(error), error
        continue
    raise AssertionError("a thread was started")
try:
    multiprocessing.dummy.Pool(2)
except (RuntimeError, OSError):
    pass
assert threading.active_count() == 1, threading.enumerate()
print("ok")
