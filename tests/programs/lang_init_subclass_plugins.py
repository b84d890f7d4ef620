class Plugin:
    found = []

    def __init_subclass__(cls, /, priority=0, **kw):
        super().__init_subclass__(**kw)
        Plugin.found.append((priority, cls.__name__))


class A(Plugin, priority=5): ...


class B(Plugin): ...


print(sorted(Plugin.found), type("Dyn", (Plugin,), {"x": 1}, priority=9).x, max(Plugin.found))
try:
    class Wrong(Plugin, colour="red"): ...
except TypeError as e:
    print("TypeError:", e)


class Command:
    handlers = {}

    def __init_subclass__(cls, *, name=None, aliases=()):
        for n in (name or cls.__name__.lower(), *aliases):
            Command.handlers[n] = cls

    def __init__(self, *args):
        self.args = args

    @classmethod
    def dispatch(cls, line):
        word, *args = line.split()
        if word not in cls.handlers:
            raise LookupError(f"unknown command {word!r}, try one of {sorted(cls.handlers)}")
        return cls.handlers[word](*args).run()


class Echo(Command, aliases=("say", "print")):
    def run(self):
        return " ".join(self.args)


class Total(Command, name="sum"):
    def run(self):
        return sum(map(float, self.args))


for line in ("echo hello world", "say hi", "sum 1 2 3.5", "total 1", "sum x"):
    try:
        print(line, "->", Command.dispatch(line))
    except (LookupError, ValueError) as e:
        print(line, "->", type(e).__name__, e)
