import asyncio
from contextlib import asynccontextmanager, AsyncExitStack, aclosing


async def ticker(n, delay=0):
    try:
        for i in range(n):
            await asyncio.sleep(delay)
            received = yield i
            if received:
                print("received", received)
    finally:
        print("ticker closed")


class Countdown:
    def __init__(self, n):
        self.n = n

    def __aiter__(self):
        return self

    async def __anext__(self):
        if self.n == 0:
            raise StopAsyncIteration
        self.n -= 1
        return self.n


@asynccontextmanager
async def resource(name):
    print("open", name)
    try:
        yield name
    except ValueError as e:
        print("resource", name, "saw", e)
    finally:
        await asyncio.sleep(0)
        print("close", name)


async def main():
    print([x async for x in ticker(3)])
    print({x: x * x async for x in Countdown(4) if x % 2}, [await asyncio.sleep(0, i) for i in range(3)])
    gen = ticker(5)
    print(await anext(gen), await gen.asend("hello"))
    try:
        await gen.athrow(KeyError("thrown"))
    except KeyError as e:
        print("out:", e)
    print(await anext(gen, "exhausted"))
    async with aclosing(ticker(10)) as g:
        async for i in g:
            if i == 2:
                break
    async with resource("r1"), resource("r2"):
        print("body")
        raise ValueError("inside")
    async with AsyncExitStack() as stack:
        for n in "xyz":
            await stack.enter_async_context(resource(n))
        stack.push_async_callback(asyncio.sleep, 0)
    it = aiter(Countdown(1))
    print(await anext(it))
    try:
        await anext(it)
    except StopAsyncIteration:
        print("StopAsyncIteration")
    leftover = ticker(3)
    print(await anext(leftover))


asyncio.run(main())
print("end")
