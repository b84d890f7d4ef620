import asyncio
import os
import signal


async def main():
    loop, stop = asyncio.get_running_loop(), asyncio.Event()
    seen = []

    def stopping(name):
        seen.append(name)
        stop.set()

    for number in (signal.SIGTERM, signal.SIGUSR1, signal.SIGRTMIN):
        loop.add_signal_handler(number, stopping, signal.Signals(number).name)
    os.kill(os.getpid(), signal.SIGTERM)
    print(seen)
    await stop.wait()
    signal.raise_signal(signal.SIGUSR1)
    await asyncio.sleep(0.01)
    print(seen, loop.remove_signal_handler(signal.SIGTERM), loop.remove_signal_handler(signal.SIGTERM))
    print(signal.getsignal(signal.SIGTERM))
    for number in (signal.SIGKILL, 0, 65):
        try:
            loop.add_signal_handler(number, print)
        except Exception as error:
            print(number, type(error).__name__, error)


async def interrupted():
    try:
        os.kill(os.getpid(), signal.SIGINT)
        await asyncio.sleep(1)
    except asyncio.CancelledError:
        print("cancelled")
        raise


asyncio.run(main())
try:
    asyncio.run(interrupted())
except KeyboardInterrupt:
    print("interrupted")
print(signal.getsignal(signal.SIGINT))
