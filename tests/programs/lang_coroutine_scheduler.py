import inspect
import types


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
print(inspect.getcoroutinestate(c), inspect.iscoroutinefunction(task), inspect.isawaitable(task))
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
