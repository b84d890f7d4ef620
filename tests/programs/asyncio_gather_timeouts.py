import asyncio


async def fetch(name, delay, fail=False):
    print(f"start {name}")
    try:
        await asyncio.sleep(delay)
    except asyncio.CancelledError:
        print(f"cancelled {name}")
        raise
    if fail:
        raise ValueError(f"{name} failed")
    print(f"done {name}")
    return name.upper()


async def main():
    print(await asyncio.gather(fetch("a", 0.03), fetch("b", 0.01), fetch("c", 0.02)))
    results = await asyncio.gather(fetch("ok", 0.01), fetch("bad", 0.02, True), return_exceptions=True)
    print([repr(r) for r in results])
    try:
        await asyncio.wait_for(fetch("slow", 5), timeout=0.02)
    except TimeoutError as e:
        print("TimeoutError", repr(e))
    try:
        async with asyncio.timeout(0.02) as cm:
            await fetch("ctx", 5)
    except TimeoutError:
        print("expired", cm.expired())
    async with asyncio.timeout(None) as cm:
        cm.reschedule(asyncio.get_running_loop().time() + 10)
        await fetch("quick", 0)
    print(cm.expired())
    done, pending = await asyncio.wait([asyncio.create_task(fetch(f"w{i}", d), name=f"w{i}") for i, d in enumerate((0.01, 0.3))],
                                       return_when=asyncio.FIRST_COMPLETED)
    print([t.get_name() for t in done], [t.get_name() for t in pending])
    for t in pending:
        t.cancel("no longer needed")
        try:
            await t
        except asyncio.CancelledError as e:
            print("got", type(e).__name__, e.args)
    for coro in asyncio.as_completed([asyncio.create_task(fetch("x", 0.3)), asyncio.create_task(fetch("y", 0.01))]):
        print("completed", await coro)
    print(await asyncio.shield(fetch("shielded", 0.005)))


asyncio.run(main())
