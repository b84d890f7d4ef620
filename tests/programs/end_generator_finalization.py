from contextlib import contextmanager


def numbers(name):
    print("start", name)
    try:
        yield 1
        yield 2
    except GeneratorExit:
        print("GeneratorExit in", name)
        raise
    finally:
        print("finalize", name)


@contextmanager
def managed():
    print("managed enter")
    try:
        yield
    finally:
        print("managed exit")


g1 = numbers("kept global")
print(next(g1))
for n in numbers("loop"):
    print("loop got", n)
    break
print("after loop")


def local():
    g = numbers("local")
    return next(g)


print(local())
cm = managed()
cm.__enter__()
unstarted = numbers("unstarted")
print("end of main")
