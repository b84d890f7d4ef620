"""A proxy on Docker's socket that takes the flags of the one in compose.proxy.yaml, and logs what it refuses."""
import asyncio
import json
import re
import socket
import sys

rules = {}
options = {}
for argument in sys.argv[1:]:
    name, value = argument.removeprefix("-").split("=", 1)
    if method := re.fullmatch("allow([A-Z]+)", name):
        rules[method[1]] = re.compile(value)
    else:
        options[name] = value


async def head_of(reader):
    lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").removesuffix("\r\n\r\n").split("\r\n")
    return lines[0], dict(line.split(": ", 1) for line in lines[1:])


def folders_of_the_host(body):
    config = json.loads(body).get("HostConfig") or {}
    yield from (bind.split(":")[0] for bind in config.get("Binds") or [])
    yield from (mount["Source"] for mount in config.get("Mounts") or [] if mount["Type"] == "bind")


async def relay(reader, writer):
    try:
        while data := await reader.read(1 << 16):
            writer.write(data)
            await writer.drain()
        writer.write_eof()
    except OSError:
        pass


async def serve(reader, writer):
    try:
        await answer(reader, writer)
    except (OSError, asyncio.IncompleteReadError):
        pass
    finally:
        writer.close()


async def answer(reader, writer):
    request, headers = await head_of(reader)
    lower = {name.lower(): value for name, value in headers.items()}
    method, target, _ = request.split(" ")
    path = target.split("?")[0]
    allowed = method in rules and rules[method].fullmatch(path)
    allowed = allowed and writer.get_extra_info("peername")[0] == socket.gethostbyname(options["allowfrom"])
    body = b""
    if allowed and path.endswith("/containers/create"):
        body = await reader.readexactly(int(lower["content-length"]))
        allowed = all(folder.startswith(options["allowbindmountfrom"]) for folder in folders_of_the_host(body))
    print("allowed" if allowed else "refused", method, path)
    if not allowed:
        writer.write(b"HTTP/1.1 403 Forbidden\r\nConnection: close\r\nContent-Length: 0\r\n\r\n")
        return
    if "upgrade" not in lower:
        # One request for each connection, so that every one is looked at.
        headers = {name: value for name, value in headers.items() if name.lower() != "connection"} | {"Connection": "close"}
    head = "\r\n".join([request, *(f"{name}: {value}" for name, value in headers.items())]) + "\r\n\r\n"
    daemon_reader, daemon_writer = await asyncio.open_unix_connection("/var/run/docker.sock")
    daemon_writer.write(head.encode("latin-1") + body)
    to_daemon = asyncio.create_task(relay(reader, daemon_writer))
    await relay(daemon_reader, writer)
    to_daemon.cancel()
    daemon_writer.close()


async def main():
    async with await asyncio.start_server(serve, options["listenip"], 2375) as server:
        await server.serve_forever()


asyncio.run(main())
