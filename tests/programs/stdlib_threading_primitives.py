import concurrent.futures
import threading

lock = threading.Lock()
print(lock.acquire(), lock.locked(), lock.acquire(blocking=False), lock.acquire(timeout=0.01))
lock.release()
try:
    lock.release()
except RuntimeError as e:
    print("RuntimeError:", e)
with lock:
    print("held", lock.locked())
r = threading.RLock()
with r, r:
    print("reentrant ok")
try:
    r.release()
except RuntimeError as e:
    print("RuntimeError:", e)
sem = threading.BoundedSemaphore(2)
print(sem.acquire(), sem.acquire(), sem.acquire(blocking=False))
sem.release(2)
try:
    sem.release()
except ValueError as e:
    print("ValueError:", e)
ev = threading.Event()
print(ev.is_set(), ev.wait(0.01))
ev.set()
print(ev.wait(), ev.is_set())
cond = threading.Condition()
with cond:
    print(cond.wait(timeout=0.01), cond.wait_for(lambda: True))
    cond.notify_all()
bar = threading.Barrier(1, action=lambda: print("barrier action"))
print(bar.wait(), bar.parties, bar.broken)
local = threading.local()
local.x = 5
print(local.x, hasattr(local, "y"), threading.current_thread().name, threading.active_count(), threading.main_thread() is threading.current_thread())
t = threading.Thread(target=print, name="worker-x", daemon=True)
print(t.name, t.is_alive(), t.daemon, t.ident)
try:
    t.join()
except RuntimeError as e:
    print("RuntimeError:", e)
f = concurrent.futures.Future()
f.add_done_callback(lambda fut: print("done callback", fut.result()))
print(f.running(), f.done(), f.set_running_or_notify_cancel(), f.running())
f.set_result(42)
print(f.result(), f.exception(), f.cancel())
g = concurrent.futures.Future()
print(g.cancel(), g.cancelled())
try:
    g.result()
except concurrent.futures.CancelledError as e:
    print(type(e).__name__)
h = concurrent.futures.Future()
try:
    h.result(timeout=0.01)
except TimeoutError:
    print("timeout")
