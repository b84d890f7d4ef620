import contextlib
import io


class Store:
    def __init__(self):
        self.data = {}

    @contextlib.contextmanager
    def transaction(self, name):
        snapshot = dict(self.data)
        print(f"begin {name}")
        try:
            yield self.data
        except Exception as error:
            self.data = snapshot
            print(f"rollback {name}: {error!r}")
            raise
        else:
            print(f"commit {name}")


store = Store()
with store.transaction("setup") as data:
    data.update(alice=100, bob=50)

for amount in (30, 500):
    with contextlib.suppress(ValueError):
        with store.transaction(f"transfer {amount}") as data:
            data["bob"] += amount
            data["alice"] -= amount
            if data["alice"] < 0:
                raise ValueError("alice has too little")
print(store.data)

with contextlib.ExitStack() as stack:
    for name in ("first", "second", "third"):
        stack.callback(print, "closing", name)
    captured = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
    print("this goes into the buffer")
print("captured:", captured.getvalue().splitlines())
with contextlib.closing(io.StringIO("a\nb\n")) as file:
    print("lines:", [line.rstrip() for line in file], "closed:", file.closed)
