import queue

q = queue.Queue(maxsize=3)
for i in range(3):
    q.put(i)
print(q.qsize(), q.full(), q.empty())
try:
    q.put_nowait(99)
except queue.Full:
    print("Full")
try:
    q.put(99, timeout=0.01)
except queue.Full:
    print("Full after timeout")
while not q.empty():
    print("got", q.get())
    q.task_done()
q.join()
try:
    q.get(block=False)
except queue.Empty as e:
    print("Empty", repr(e))
try:
    q.task_done()
except ValueError as e:
    print("ValueError:", e)

lifo = queue.LifoQueue()
for c in "abc":
    lifo.put(c)
print("".join(lifo.get() for _ in range(3)))
pq = queue.PriorityQueue()
for item in [(3, "low"), (1, "high"), (2, "mid"), (1, "also")]:
    pq.put(item)
print([pq.get() for _ in range(4)])
sq = queue.SimpleQueue()
sq.put("x")
print(sq.get_nowait(), sq.empty(), sq.qsize())
q.put("last")
q.shutdown()
print(q.get())
for fn in (q.get, lambda: q.put(1)):
    try:
        fn()
    except queue.ShutDown as e:
        print("ShutDown")


def bfs(start, goal):
    frontier = queue.Queue()
    frontier.put((start, [start]))
    seen = {start}
    while not frontier.empty():
        n, path = frontier.get()
        if n == goal:
            return path
        for nxt in (n + 1, n * 2, n - 3):
            if 0 <= nxt <= 100 and nxt not in seen:
                seen.add(nxt)
                frontier.put((nxt, path + [nxt]))


print(bfs(2, 37))
