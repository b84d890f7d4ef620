import asyncio


async def job(n, delay, exc=None):
    try:
        await asyncio.sleep(delay)
        if exc:
            raise exc
        print("finished", n)
        return n * 10
    except asyncio.CancelledError:
        print("job", n, "cancelled")
        raise
    finally:
        print("cleanup", n)


async def main():
    async with asyncio.TaskGroup() as tg:
        tasks = [tg.create_task(job(i, 0.01 * (3 - i))) for i in range(3)]
    print([t.result() for t in tasks])

    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(job(1, 0, ValueError("one")))
            tg.create_task(job(2, 5))
            tg.create_task(job(3, 0, KeyError("three")))
    except* ValueError as eg:
        print("ValueErrors:", [str(e) for e in eg.exceptions])
    except* KeyError as eg:
        print("KeyErrors:", [str(e) for e in eg.exceptions])

    try:
        async with asyncio.TaskGroup() as tg:
            tg.create_task(job(4, 5))
            await asyncio.sleep(0)
            raise RuntimeError("body failed")
    except ExceptionGroup as eg:
        print(eg.message, [repr(e) for e in eg.exceptions])

    async def outer():
        async with asyncio.TaskGroup() as tg:
            tg.create_task(job(5, 5))

    t = asyncio.create_task(outer())
    await asyncio.sleep(0.01)
    print("cancel requested", t.cancel(), t.cancelling())
    try:
        await t
    except asyncio.CancelledError:
        print("outer cancelled", t.cancelled(), t.done())
    tg = asyncio.TaskGroup()
    try:
        tg.create_task(c := job(7, 0))
    except RuntimeError as e:
        print("RuntimeError:", "has not been entered" in str(e))
        c.close()


asyncio.run(main())
