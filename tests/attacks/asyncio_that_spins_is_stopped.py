#: promise = "An event loop whose tasks only yield to each other is stopped at the deadline"
#: wall_clock_ms = 600
#: outcome = ["time_limit"]
import asyncio


async def spin():
    while True:
        try:
            await asyncio.sleep(0)
        except BaseException:
            pass


async def main():
    await asyncio.gather(*(spin() for _ in range(100)))


asyncio.run(main())
