class Managed:
    def __init__(self, name, swallow=(), fail_enter=False, fail_exit=False):
        self.name, self.swallow, self.fail_enter, self.fail_exit = name, swallow, fail_enter, fail_exit

    def __enter__(self):
        print("enter", self.name)
        if self.fail_enter:
            raise RuntimeError(f"enter {self.name}")
        return self

    def __exit__(self, etype, exc, tb):
        print("exit", self.name, etype.__name__ if etype else None, exc, tb is not None)
        if self.fail_exit:
            raise RuntimeError(f"exit {self.name}")
        return etype is not None and issubclass(etype, self.swallow)


with Managed("a") as a, Managed("b", swallow=(KeyError,)) as b:
    print("body", a.name, b.name)
    raise KeyError("k")
print("continues")

with (
    Managed("p1") as p1,
    Managed("p2"),
):
    print("parenthesised", p1.name)

for kwargs in ({"fail_enter": True}, {"fail_exit": True}):
    try:
        with Managed("outer"), Managed("inner", **kwargs):
            print("body")
            raise ValueError("orig")
    except Exception as e:
        print(type(e).__name__, e, "context:", repr(e.__context__))


def early():
    for i in range(3):
        with Managed(f"loop{i}"):
            if i == 1:
                return i


print(early())
try:
    with object():
        pass
except TypeError as e:
    print("TypeError:", e)


class Transaction:
    def __init__(self, data):
        self.data = data

    def __enter__(self):
        self.backup = dict(self.data)
        return self.data

    def __exit__(self, etype, *_):
        if etype:
            self.data.clear()
            self.data.update(self.backup)
            print("rolled back because of", etype.__name__)
        return True


accounts = {"a": 100, "b": 50}
for amount in (30, 500):
    with Transaction(accounts) as acc:
        acc["a"] -= amount
        if acc["a"] < 0:
            raise ValueError("overdraft")
        acc["b"] += amount
    print(accounts)
