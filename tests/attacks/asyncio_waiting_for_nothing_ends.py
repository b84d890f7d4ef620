#: promise = "An event loop that waits for an event nobody can set ends in an error or at the deadline"
#: wall_clock_ms = 600
#: outcome = ["completed", "time_limit", "crashed"]
#: exit_code = 0
#: stdout = "ok\n"
import asyncio


async def main():
    await asyncio.Event().wait()


try:
    asyncio.run(main())
except Exception:
    print("ok")
