import itertools


def countdown(n):
    print("start")
    while n > 0:
        got = yield n
        if got is not None:
            print("got", got)
            n = got
        else:
            n -= 1
    return "liftoff"


g = countdown(3)
print(next(g), g.send(5), next(g))
try:
    while True:
        print(next(g))
except StopIteration as e:
    print("returned", e.value)


def delegate():
    result = yield from countdown(2)
    print("delegated result", result)
    yield from "xy"


print(list(delegate()))


def guarded():
    try:
        yield 1
        yield 2
    except ValueError as e:
        print("caught", e)
        yield "recovered"
    finally:
        print("finally")


g = guarded()
print(next(g), g.throw(ValueError("injected")))
g.close()
g = guarded()
next(g)
g.close()
print(next(g, "closed"))


def stubborn():
    try:
        yield
    except GeneratorExit:
        yield "ignored"


g = stubborn()
next(g)
try:
    g.close()
except RuntimeError as e:
    print("RuntimeError:", e)


def leak():
    yield 1
    raise StopIteration("inner")


try:
    list(leak())
except RuntimeError as e:
    print("RuntimeError:", e, repr(e.__cause__))


print(repr(guarded.__name__), guarded().gi_running, guarded().gi_yieldfrom)
