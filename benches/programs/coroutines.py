"""Coroutines: recursive awaits driven by hand and a small round-robin scheduler."""

from collections import deque

FIB = 25
TASKS = 100
SWITCHES = 2600


async def fib(n):
    if n <= 1:
        return n
    return await fib(n - 1) + await fib(n - 2)


def drive(coro):
    """Run a coroutine that never really suspends and return its result."""
    try:
        coro.send(None)
    except StopIteration as stop:
        return stop.value
    raise RuntimeError("coroutine suspended")


class Pause:
    """Awaitable that gives the scheduler one turn."""

    __slots__ = ("value",)

    def __init__(self, value):
        self.value = value

    def __await__(self):
        got = yield self.value
        return got


class Span:
    """Async context manager that counts entries and exits."""

    def __init__(self, log):
        self.log = log

    async def __aenter__(self):
        self.log[0] += 1
        return self

    async def __aexit__(self, *exc):
        self.log[1] += 1
        return False


async def ticks(n):
    for i in range(n):
        yield i


async def worker(ident, log):
    total = 0
    async for i in ticks(SWITCHES):
        async with Span(log):
            total += await Pause(ident + i)
    return total


def run_all(tasks):
    ready = deque((task, None) for task in tasks)
    results = []
    while ready:
        task, value = ready.popleft()
        try:
            sent = task.send(value)
        except StopIteration as stop:
            results.append(stop.value)
        else:
            ready.append((task, sent & 7))
    return results


def bench() -> object:
    number = 0
    for _ in range(2):
        number = drive(fib(FIB))
    log = [0, 0]
    results = run_all([worker(i, log) for i in range(TASKS)])
    return number, sum(results), tuple(log)


if __name__ == "__main__":
    print(bench())
