"""What processes would share, used by one."""
import multiprocessing as mp
from multiprocessing import shared_memory, synchronize

lock = mp.Lock()
print(lock)
with lock:
    print(lock.acquire(block=False), lock.acquire(timeout=0.01), type(lock) is synchronize.Lock)
try:
    lock.release()
except ValueError as error:
    print(type(error).__name__, error)

rlock = mp.RLock()
with rlock, rlock:
    print(rlock.acquire(), rlock.acquire(False))
    rlock.release()
    rlock.release()
try:
    rlock.release()
except AssertionError as error:
    print(error)

semaphore = mp.Semaphore(2)
print(semaphore.acquire(), semaphore.acquire(), semaphore.acquire(False), semaphore.get_value(), semaphore)
semaphore.release()
bounded = mp.BoundedSemaphore(1)
try:
    bounded.release()
except ValueError as error:
    print(error)

event = mp.Event()
print(event.is_set(), event.wait(0.01))
event.set()
print(event.is_set(), event.wait(1))

condition = mp.Condition()
with condition:
    condition.notify_all()
    print(condition.wait(0.01), condition.wait_for(lambda: True))

counter, total = mp.Value("i", 3), mp.Value("d", 0.5, lock=False)
with counter.get_lock():
    counter.value += 4
total.value *= 3
print(counter.value, total.value)
numbers = mp.Array("i", range(5))
numbers[1:3] = [10, 20]
print(list(numbers), len(numbers), sum(numbers))
print(mp.RawArray("d", 3)[:], mp.RawValue("b", -1).value)

queue, simple = mp.Queue(maxsize=3), mp.SimpleQueue()
print(queue.empty(), queue.full(), simple.empty())
simple.put({"a": [1, 2]})
print(simple.empty(), simple.get())
receiver, sender = mp.Pipe(duplex=False)
sender.send(("x", 1))
print(receiver.poll(), receiver.recv())
print(mp.Process(target=print).is_alive(), mp.current_process().name, mp.active_children(), shared_memory.__name__)
