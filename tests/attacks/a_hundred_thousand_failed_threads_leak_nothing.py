#: promise = "Trying to start threads for ever neither works nor uses up the memory"
#: wall_clock_ms = 30000
#: memory_mb = 64
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import threading

for _ in range(100_000):
    try:
        threading.Thread(target=print).start()
    except RuntimeError:
        continue
    raise AssertionError("a thread was started")
assert len(threading.enumerate()) == 1
print("ok")
