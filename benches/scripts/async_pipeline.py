import asyncio
from collections import Counter


async def producer(queue, documents):
    for number, text in enumerate(documents, start=1):
        await queue.put((number, text))
        await asyncio.sleep(0)
    await queue.put(None)


async def worker(name, queue, results):
    handled = 0
    while True:
        item = await queue.get()
        try:
            if item is None:
                await queue.put(None)
                return f"{name} handled {handled}"
            number, text = item
            results[number] = Counter(text.lower().split())
            handled += 1
        finally:
            queue.task_done()


async def main():
    documents = ["To be or not to be", "that is the question", "the rest is silence", "Words words words"]
    queue, results = asyncio.Queue(maxsize=2), {}
    async with asyncio.TaskGroup() as group:
        group.create_task(producer(queue, documents))
        workers = [group.create_task(worker(f"worker-{i}", queue, results)) for i in range(2)]
    for task in workers:
        print(task.result())
    total = sum(results.values(), Counter())
    for word, count in sorted(total.items(), key=lambda item: (-item[1], item[0]))[:6]:
        print(f"{word:<10}{count}")

    event = asyncio.Event()
    waiter = asyncio.create_task(event.wait())
    asyncio.get_running_loop().call_soon(event.set)
    print("event:", await waiter)


asyncio.run(main())
