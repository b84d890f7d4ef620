import asyncio


class Flaky:
    def __init__(self, failures):
        self.failures = failures
        self.calls = 0

    async def __call__(self):
        self.calls += 1
        await asyncio.sleep(0.001)
        if self.calls <= self.failures:
            raise ConnectionError(f"attempt {self.calls}")
        return f"ok after {self.calls}"


async def retry(fn, attempts=4, base=0.001):
    errors = []
    for n in range(attempts):
        try:
            return await fn()
        except ConnectionError as e:
            errors.append(e)
            delay = base * 2 ** n
            print(f"retry {n + 1} in {delay:.3f}: {e}")
            await asyncio.sleep(delay)
    raise ExceptionGroup("all attempts failed", errors)


async def stubborn():
    for i in range(3):
        try:
            await asyncio.sleep(10)
        except asyncio.CancelledError:
            print("ignoring cancel", i)
            asyncio.current_task().uncancel()
            if i == 1:
                raise


async def main():
    print(await retry(Flaky(2)))
    try:
        await retry(Flaky(9), attempts=2)
    except ExceptionGroup as eg:
        print(eg, [str(e) for e in eg.exceptions])
    t = asyncio.create_task(stubborn())
    for _ in range(2):
        await asyncio.sleep(0.002)
        t.cancel()
    try:
        await t
    except asyncio.CancelledError:
        print("finally cancelled")
    inner = asyncio.create_task(asyncio.sleep(0.3, "survived"))
    try:
        await asyncio.wait_for(asyncio.shield(inner), 0.001)
    except TimeoutError:
        print("outer timed out; inner done:", inner.done())
    print(await inner)
    try:
        async with asyncio.timeout(0.005):
            try:
                await asyncio.sleep(1)
            finally:
                print("cleanup on timeout")
    except TimeoutError as e:
        print(type(e).__name__, type(e.__cause__).__name__)


asyncio.run(main())
