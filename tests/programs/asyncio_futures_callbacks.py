import asyncio


async def main():
    loop = asyncio.get_running_loop()
    order = []
    loop.call_soon(order.append, "soon1")
    now = loop.time()
    loop.call_at(now + 0.02, order.append, "later20")
    loop.call_at(now + 0.01, order.append, "later10")
    handle = loop.call_later(0.015, order.append, "never")
    handle.cancel()
    loop.call_soon(order.append, "soon2")
    await asyncio.sleep(0.04)
    print(order, handle.cancelled())

    fut = loop.create_future()
    fut.add_done_callback(lambda f: print("callback", f.result()))
    loop.call_soon(fut.set_result, "value")
    print(await fut, fut.done())
    try:
        fut.set_result(2)
    except asyncio.InvalidStateError as e:
        print("InvalidStateError:", e)
    bad = loop.create_future()
    bad.set_exception(LookupError("nope"))
    try:
        await bad
    except LookupError as e:
        print(repr(bad.exception()), e)
    pending = loop.create_future()
    try:
        pending.result()
    except asyncio.InvalidStateError as e:
        print(e)

    async def sub():
        me = asyncio.current_task()
        return me.get_name(), len(asyncio.all_tasks())

    print(await asyncio.create_task(sub(), name="named"))
    eager = asyncio.Task(sub(), loop=loop, eager_start=True, name="eager")
    print(eager.done(), eager.result()[0])
    errors = []
    loop.set_exception_handler(lambda lp, ctx: errors.append((ctx["message"].split(" at ")[0], repr(ctx.get("exception")))))
    loop.call_soon(lambda: 1 / 0)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    print(errors, loop.is_running(), asyncio.isfuture(fut))


with asyncio.Runner() as runner:
    runner.run(main())
    print(runner.run(asyncio.sleep(0, "again")))
loop = asyncio.new_event_loop()
print(loop.run_until_complete(asyncio.sleep(0, 5)), loop.is_closed())
loop.close()
try:
    loop.call_soon(print)
except RuntimeError as e:
    print(e)
