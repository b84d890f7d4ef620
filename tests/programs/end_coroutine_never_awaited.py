import asyncio


async def save(record):
    print("saving", record)
    return True


async def main():
    print("forgot to await:", type(save({"id": 0})).__name__)
    ok = await save({"id": 1})
    print("awaited", ok)
    return "done"


print(asyncio.run(main()))
try:
    asyncio.run(main)
except (ValueError, TypeError) as e:
    print(type(e).__name__, str(e).split(",")[0])
