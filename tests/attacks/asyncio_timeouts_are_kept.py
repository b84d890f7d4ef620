#: promise = "asyncio timeouts inside a job work"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import asyncio


async def main():
    try:
        async with asyncio.timeout(0.05):
            await asyncio.Event().wait()
    except TimeoutError:
        print("ok")


asyncio.run(main())
