#: promise = "Coroutines that await each other without end raise a Python exception or end in a named limit"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import asyncio


async def down():
    await down()


async def tasks():
    await asyncio.create_task(tasks())


for run in (lambda: asyncio.run(down()), lambda: down().send(None)):
    try:
        run()
    except RecursionError:
        continue
    raise AssertionError("the coroutine returned")
print("ok")
