#: promise = "asyncio cannot open connections, servers or child processes, and its loop goes on"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import asyncio


async def main():
    for attempt in (
        lambda: asyncio.open_connection("127.0.0.1", 80),
        lambda: asyncio.open_connection("example.com", 80),
        lambda: asyncio.start_server(print, "127.0.0.1", 0),
        lambda: asyncio.open_unix_connection("/var/run/docker.sock"),
        lambda: asyncio.create_subprocess_exec("/bin/true"),
        lambda: asyncio.create_subprocess_shell("true"),
        lambda: asyncio.get_running_loop().getaddrinfo("example.com", 80),
        lambda: asyncio.to_thread(print, "thread"),
        lambda: asyncio.get_running_loop().run_in_executor(None, print, "thread"),
    ):
        try:
            await asyncio.wait_for(attempt(), 1)
        except TimeoutError:
            raise AssertionError("it was waited for") from None
        except (OSError, RuntimeError, NotImplementedError, AttributeError):
            continue
        raise AssertionError("allowed")
    await asyncio.sleep(0.01)


asyncio.run(main())
print("ok")
