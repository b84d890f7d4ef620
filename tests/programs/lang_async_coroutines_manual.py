import inspect
import sys
import types


class Awaitable:
    def __init__(self, label):
        self.label = label

    def __await__(self):
        result = yield ("want", self.label)
        return f"{self.label}={result}"


async def inner(n):
    total = []
    for i in range(n):
        total.append(await Awaitable(f"item{i}"))
    return total


async def outer():
    try:
        first = await inner(2)
        print("outer got", first)
        await Awaitable("boom")
    except RuntimeError as e:
        print("outer caught", e)
        return "recovered"
    finally:
        print("outer finally")


def drive(coro):
    value, step = None, 0
    while True:
        try:
            request = coro.send(value) if step != 2 else coro.throw(RuntimeError("injected"))
        except StopIteration as e:
            return e.value
        print("request", request)
        step += 1
        value = step * 100


co = outer()
print(inspect.iscoroutine(co), inspect.getcoroutinestate(co), co.cr_frame is not None, co.__qualname__)
print(drive(co), inspect.getcoroutinestate(co))
try:
    co.send(None)
except RuntimeError as e:
    print("RuntimeError:", e)


class Scheduler:
    def __init__(self):
        self.ready = []

    def spawn(self, name, coro):
        self.ready.append((name, coro))

    def run(self):
        while self.ready:
            name, coro = self.ready.pop(0)
            try:
                print(name, "->", coro.send(None))
                self.ready.append((name, coro))
            except StopIteration as e:
                print(name, "finished with", e.value)


@types.coroutine
def pause(tag):
    yield tag


async def task(n):
    for i in range(n):
        await pause(f"step {i}")
    return n * n


s = Scheduler()
for name, n in (("A", 2), ("B", 1), ("C", 3)):
    s.spawn(name, task(n))
s.run()
c = task(1)
c.close()
print(inspect.getcoroutinestate(c), inspect.iscoroutinefunction(task), inspect.isawaitable(Awaitable("x")))
for src in ("await 5", "async with x: pass", "def f():\n    await g()", "async def f():\n    yield from x", "async def f():\n    yield 1\n    return 2"):
    try:
        compile(src, "<s>", "exec")
    except SyntaxError as e:
        print("SyntaxError:", e.msg)


async def bad():
    await 5

try:
    bad().send(None)
except TypeError as e:
    print(e)
