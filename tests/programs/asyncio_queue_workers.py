import asyncio


async def producer(q, n):
    for i in range(n):
        await q.put(i)
        print("put", i, "size", q.qsize())
    for _ in range(2):
        await q.put(None)


async def worker(name, q, results):
    while True:
        item = await q.get()
        try:
            if item is None:
                print(name, "stopping")
                return
            await asyncio.sleep(0)
            results.append((item, item ** 2))
            print(name, "handled", item)
        finally:
            q.task_done()


async def main():
    q = asyncio.Queue(maxsize=2)
    results = []
    workers = [asyncio.create_task(worker(f"w{i}", q, results)) for i in range(2)]
    await producer(q, 6)
    await q.join()
    await asyncio.gather(*workers)
    print(sorted(results), q.empty())

    pq = asyncio.PriorityQueue()
    for item in (5, 1, 3):
        pq.put_nowait(item)
    print([await pq.get() for _ in range(3)])
    lq = asyncio.LifoQueue(1)
    lq.put_nowait("x")
    try:
        lq.put_nowait("y")
    except asyncio.QueueFull:
        print("QueueFull")
    print(lq.get_nowait())
    try:
        lq.get_nowait()
    except asyncio.QueueEmpty:
        print("QueueEmpty")
    q2 = asyncio.Queue()
    getter = asyncio.create_task(q2.get())
    await asyncio.sleep(0)
    q2.shutdown()
    try:
        await getter
    except asyncio.QueueShutDown as e:
        print("QueueShutDown", repr(e))


asyncio.run(main())
