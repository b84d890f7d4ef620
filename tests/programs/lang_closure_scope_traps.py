import functools


def default_trap(x, acc=[]):
    acc.append(x)
    return acc


print(default_trap(1), default_trap(2), default_trap.__defaults__)


def make_handlers():
    handlers = {}
    for name in ("start", "stop"):
        def handler(name=name, *, seen=[]):
            seen.append(name)
            return f"{name} seen {len(seen)}"
        handlers[name] = handler
    return handlers


h = make_handlers()
print(h["start"](), h["start"](), h["stop"](), h["start"].__kwdefaults__)
x = "global"


def scopes():
    def read():
        return x
    try:
        return read()
    except NameError as e:
        return type(e).__name__, str(e)
    x = "local"


print(scopes())
try:
    exec("def f():\n    print(u)\n    u = 1\nf()")
except UnboundLocalError as e:
    print(e)
compose = lambda *fns: functools.reduce(lambda f, g: lambda v: g(f(v)), fns)
print(compose(str.strip, str.title, lambda s: s + "!")("  hello world "))
