import asyncio
from collections import Counter


async def source(text, out):
    for line in text.splitlines():
        await out.put(line)
        await asyncio.sleep(0)
    await out.put(None)


async def stage(inp, out, fn):
    while (item := await inp.get()) is not None:
        result = fn(item)
        if result is not None:
            await out.put(result)
    await out.put(None)


async def sink(inp):
    counts = Counter()
    while (item := await inp.get()) is not None:
        counts.update(item)
    return counts


async def read_protocol():
    reader = asyncio.StreamReader()
    reader.feed_data(b"GET / HTTP/1.1\r\nHost: x\r\n\r\nbody bytes|rest")
    reader.feed_eof()
    print(await reader.readline(), await reader.readuntil(b"\r\n\r\n"))
    print(await reader.readexactly(4), await reader.readuntil(b"|"), await reader.read(), reader.at_eof())
    short = asyncio.StreamReader()
    short.feed_data(b"ab")
    short.feed_eof()
    try:
        await short.readexactly(5)
    except asyncio.IncompleteReadError as e:
        print("IncompleteReadError", e.partial, e.expected)


async def main():
    text = "To be or not\n\nto be that is\nthe question to be"
    q1, q2, q3 = (asyncio.Queue(2) for _ in range(3))
    tasks = [
        asyncio.create_task(source(text, q1)),
        asyncio.create_task(stage(q1, q2, lambda s: s.lower() or None)),
        asyncio.create_task(stage(q2, q3, str.split)),
    ]
    counts = await sink(q3)
    await asyncio.gather(*tasks)
    print(sorted(counts.items(), key=lambda kv: (-kv[1], kv[0])))
    await read_protocol()


asyncio.run(main())
