import asyncio

PAGES = {
    "/home": (3, "<h1>Home</h1>" * 40),
    "/about": (1, "<h1>About</h1>" * 10),
    "/contact": (0, "<form></form>" * 4),
    "/news": (2, "<article></article>" * 25),
}


async def fetch(path: str) -> str:
    if path not in PAGES:
        raise LookupError(f"404 for {path}")
    delay, body = PAGES[path]
    await asyncio.sleep(delay / 10_000)
    return body


async def download(path: str, semaphore: asyncio.Semaphore) -> tuple[str, str]:
    async with semaphore:
        try:
            async with asyncio.timeout(60):
                body = await fetch(path)
        except TimeoutError:
            return path, "timed out"
        except LookupError as error:
            return path, f"error: {error}"
        return path, f"{len(body)} bytes"


async def main() -> None:
    semaphore = asyncio.Semaphore(3)
    endless = asyncio.create_task(asyncio.Event().wait())
    results = await asyncio.gather(*(download(path, semaphore) for path in [*PAGES, "/missing"]))
    endless.cancel()
    for path, result in results:
        print(f"{path:<10} {result}")
    ok = sum(result.endswith("bytes") for _, result in results)
    print(f"{ok} of {len(results)} succeeded")
    print("cancelled:", (await asyncio.gather(endless, return_exceptions=True))[0].__class__.__name__)


asyncio.run(main())
