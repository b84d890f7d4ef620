import asyncio


async def critical(name, lock, log):
    async with lock:
        log.append(f"{name} in")
        await asyncio.sleep(0.005)
        log.append(f"{name} out")


async def limited(i, sem, state):
    async with sem:
        state["now"] += 1
        state["max"] = max(state["max"], state["now"])
        await asyncio.sleep(0.005)
        state["now"] -= 1
        return i


async def main():
    lock, log = asyncio.Lock(), []
    await asyncio.gather(*(critical(n, lock, log) for n in "abc"))
    print(log, lock.locked())
    state = {"now": 0, "max": 0}
    sem = asyncio.Semaphore(2)
    print(await asyncio.gather(*(limited(i, sem, state) for i in range(6))), state)

    ev = asyncio.Event()

    async def waiter(n):
        await ev.wait()
        print("waiter", n, "released")

    waiters = [asyncio.create_task(waiter(n)) for n in range(2)]
    await asyncio.sleep(0)
    print("setting event", ev.is_set())
    ev.set()
    await asyncio.gather(*waiters)

    cond, items = asyncio.Condition(), []

    async def consumer():
        async with cond:
            await cond.wait_for(lambda: len(items) >= 2)
            print("consumer saw", items)

    c = asyncio.create_task(consumer())
    for x in ("p", "q"):
        async with cond:
            items.append(x)
            cond.notify()
        await asyncio.sleep(0)
    await c
    bar = asyncio.Barrier(3)

    async def runner(i):
        async with bar as pos:
            return i, pos

    res = await asyncio.gather(*(runner(i) for i in range(3)))
    print(sorted(p for _, p in res), bar.n_waiting, bar.broken)
    bs = asyncio.BoundedSemaphore(1)
    try:
        bs.release()
    except ValueError as e:
        print("ValueError:", e)
    try:
        lock.release()
    except RuntimeError as e:
        print("RuntimeError:", e)


asyncio.run(main())
