"""Uses pyexec by the official client of Python, of either kind: python client.py stdio COMMAND | http URL KEY [MODE]."""

import asyncio
import base64
import contextlib
import datetime
import importlib.metadata
import sys

import mcp
from mcp.client.stdio import StdioServerParameters, stdio_client

NEW = int(importlib.metadata.version("mcp").split(".")[0]) >= 2
SECONDS = 60


def transport(kind, target, key):
    """Opens the streams of the older client."""
    if kind == "stdio":
        return stdio_client(StdioServerParameters(command=target, args=["mcp"]))
    from mcp.client.streamable_http import streamablehttp_client

    return streamablehttp_client(target, headers={"Authorization": f"Bearer {key}"})


@contextlib.asynccontextmanager
async def connected(kind, target, key, mode):
    if not NEW:
        async with transport(kind, target, key) as (read, write, *_), mcp.ClientSession(read, write) as session:
            await session.initialize()
            yield session
    elif kind == "stdio":
        async with mcp.Client(StdioServerParameters(command=target, args=["mcp"]), mode=mode) as client:
            yield client
    else:
        import httpx2
        from mcp.client.streamable_http import streamable_http_client

        headers = {"Authorization": f"Bearer {key}"}
        async with httpx2.AsyncClient(headers=headers, timeout=SECONDS) as http:
            async with mcp.Client(streamable_http_client(target, http_client=http), mode=mode) as client:
                yield client


class Session:
    """What both clients can do, under one name."""

    def __init__(self, client):
        self.client = client

    async def run(self, code, progress=None, **arguments):
        limit = SECONDS if NEW else datetime.timedelta(seconds=SECONDS)
        result = await self.client.call_tool("run_python", {"code": code, **arguments}, limit, progress)
        return Result(result)

    async def read(self, uri):
        return (await self.client.read_resource(uri)).contents[0]


class Result:
    def __init__(self, result):
        self.content = result.content
        self.data = result.structured_content if NEW else result.structuredContent
        self.is_error = result.is_error if NEW else result.isError

    def blocks(self, kind):
        return [block for block in self.content if block.type == kind]


def equal(got, wanted):
    assert got == wanted, f"{got!r} is not {wanted!r}"


async def main(kind, target, key=None, mode="auto"):
    async with connected(kind, target, key, mode) as client:
        session = Session(client)
        await check(session)
        await check_large(session)
        await check_sessions(session)
        await check_cancel(session)
        version = getattr(client, "protocol_version", None)
        print("ok", version or "")


async def check(session):
    tools = (await session.client.list_tools()).tools
    equal([tool.name for tool in tools], ["run_python"])
    assert (tools[0].output_schema if NEW else tools[0].outputSchema)["type"] == "object"

    plain = await session.run("print(input())\n6 * 7", stdin="line\n")
    equal((plain.is_error or False, plain.data["stdout"], plain.data["result"]), (False, "line\n", "42"))
    equal((plain.data["status"], plain.data["exit_code"], plain.data["executor"]), ("completed", 0, "wasm"))
    assert '"result":"42"' in plain.content[0].text.replace(" ", ""), plain.content

    failed = await session.run("def f():\n    return 1 / 0\nf()")
    equal((failed.is_error, failed.data["exit_code"]), (True, 1))
    assert 'line 2, in f' in failed.data["stderr"] and "ZeroDivisionError" in failed.content[0].text, failed.data

    timed = await session.run("while True: pass", timeout_seconds=0.3)
    equal((timed.is_error, timed.data["exit_code"], timed.data["error_kind"]), (True, 124, "time_limit"))

    wrong = await session.run("1", sesion="new")
    assert wrong.is_error and "session" in wrong.content[0].text, wrong.content

    files = [{"name": "in.bin", "content_base64": base64.b64encode(b"\x00\xff").decode()}, {"name": "in.txt", "content": "in"}]
    code = """
import struct, zlib
def chunk(kind, data):
    return struct.pack('>I', len(data)) + kind + data + struct.pack('>I', zlib.crc32(kind + data))
png = b'\\x89PNG\\r\\n\\x1a\\n' + chunk(b'IHDR', struct.pack('>IIBBBBB', 1, 1, 8, 0, 0, 0, 0))
png += chunk(b'IDAT', zlib.compress(b'\\x00\\x80')) + chunk(b'IEND', b'')
open('made.png', 'wb').write(png)
open('made.txt', 'w').write(open('in.txt').read() * 2)
open('made.bin', 'wb').write(open('in.bin', 'rb').read())
png
"""
    made = await session.run(code, files=files)
    equal([(file["path"], file["size"]) for file in made.data["files"]][0], ("made.bin", 2))
    equal([file.get("content") for file in made.data["files"]], [None, None, "inin"])
    (image,) = made.blocks("image")
    equal(repr(base64.b64decode(image.data)), made.data["result"])
    (resource,) = made.blocks("resource")
    equal(base64.b64decode(resource.resource.blob), b"\x00\xff")

    told = []

    async def progress(done, total, message):
        told.append((done, message))

    await session.run("import time\nfor n in range(3):\n    print('step', n, flush=True)\n    time.sleep(0.6)", progress)
    assert (1.0, "step 0") in told and len(told) >= 2, told
    equal([done for done, _ in told], [float(n + 1) for n in range(len(told))])


async def check_large(session):
    code = """
import os
print('x' * 3_000_000)
for n in range(40):
    open(f'{n:02}.txt', 'w').write('y' * 10_000)
open('a.png', 'wb').write(os.urandom(300_000))
open('b.png', 'wb').write(os.urandom(300_000))
'z' * 100_000
"""
    large = await session.run(code)
    equal((large.is_error or False, len(large.blocks("image")), len(large.data["files"])), (False, 1, 42))
    assert len(large.data["stdout"]) < 40_000 and "bytes" in large.data["stdout"], len(large.data["stdout"])
    assert any(warning.startswith("b.png is too large") for warning in large.data["warnings"]), large.data["warnings"]


async def check_sessions(session):
    first = await session.run("import math\nx = 20", session="new", files=[{"name": "given.txt", "content": "given"}])
    name = first.data["session"]
    equal("files" in first.data, False)
    again = await session.run(
        "open('made.bin', 'wb').write(b'\\xff')\nx += math.floor(1.5)\nx, open('given.txt').read()", session=name
    )
    equal((again.data["result"], again.data["session"]), ("(21, 'given')", name))
    equal([file["path"] for file in again.data["files"]], ["made.bin"])
    (link,) = again.blocks("resource_link")
    equal(base64.b64decode((await session.read(link.uri)).blob), b"\xff")
    more = await session.run("x, open('later.txt').read()", session=name, files=[{"name": "later.txt", "content": "l"}])
    equal((more.data["result"], "files" in more.data), ("(21, 'l')", False))
    failed = await session.run("x = 5\n1 / 0", session=name)
    equal((failed.is_error, (await session.run("x", session=name)).data["result"]), (True, "5"))
    equal((await session.run("'x' in globals()")).data["result"], "False")
    gone = await session.run("1", session="V1StGXR8_Z5jdHi6B-myT")
    assert gone.is_error and '"new"' in gone.content[0].text, gone.content


async def check_cancel(session):
    name = (await session.run("x = 1", session="new")).data["session"]
    started = asyncio.Event()

    async def progress(done, total, message):
        started.set()

    code = "print('runs', flush=True)\nx = 2\nwhile True: pass"
    call = asyncio.create_task(session.run(code, progress, session=name))
    await asyncio.wait_for(started.wait(), SECONDS)
    if NEW:
        call.cancel()
    else:
        params = mcp.types.CancelledNotificationParams(requestId=session.client._request_id - 1)
        note = mcp.types.CancelledNotification(method="notifications/cancelled", params=params)
        await session.client.send_notification(mcp.types.ClientNotification(note))
    after = asyncio.create_task(session.run("x", session=name))
    equal((await asyncio.wait_for(after, 20)).data["result"], "2")
    call.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await call


asyncio.run(main(*sys.argv[1:]))
