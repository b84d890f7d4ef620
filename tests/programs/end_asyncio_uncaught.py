import asyncio


async def worker(n):
    await asyncio.sleep(0.001 * n)
    print("worker", n)
    if n == 2:
        raise RuntimeError(f"worker {n} crashed")
    return n


async def main():
    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(worker(1))
    finally:
        print("first group done")
    background = asyncio.create_task(asyncio.sleep(100))
    try:
        await worker(2)
    finally:
        print("background done:", background.done())


asyncio.run(main())
