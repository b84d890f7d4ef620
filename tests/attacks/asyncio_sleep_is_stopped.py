#: promise = "An event loop that sleeps for days is stopped at the deadline"
#: wall_clock_ms = 600
#: outcome = ["time_limit"]
import asyncio

asyncio.run(asyncio.sleep(1e6))
