import contextvars
import asyncio
from contextvars import ContextVar, copy_context

user = ContextVar("user", default="anonymous")
depth = ContextVar("depth")
print(user.get(), depth.get("none"))
try:
    depth.get()
except LookupError:
    print("LookupError")
tok = user.set("ann")
print(user.get(), tok.old_value is contextvars.Token.MISSING, tok.var is user)
user.reset(tok)
print(user.get())
try:
    user.reset(tok)
except RuntimeError as e:
    print("RuntimeError:", "already been used" in str(e))

ctx = copy_context()


def inside():
    user.set("inner")
    depth.set(1)
    return user.get(), depth.get()


print(ctx.run(inside), user.get(), depth.get("unset"), ctx[user], depth in ctx, len(ctx))
with user.set("scoped"):
    print(user.get())
print(user.get())


async def handler(name, delay):
    user.set(name)
    for _ in range(2):
        await asyncio.sleep(delay)
        print("in task", name, user.get() == name)
    return await nested()


async def nested():
    return f"nested sees {user.get()}"


async def main():
    user.set("main")
    print(await asyncio.gather(handler("t1", 0.02), handler("t2", 0.4)))
    print(user.get())
    c = contextvars.Context()
    t = asyncio.create_task(nested(), context=c)
    print(await t)


asyncio.run(main())
print(user.get())
