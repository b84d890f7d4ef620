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


print(type(co).__name__, co.cr_running, co.cr_await)
