class Fragile:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("deleting", self.name)
        if self.name.startswith("bad"):
            raise ValueError(f"cannot delete {self.name}")


def scope():
    local = Fragile("bad-local")
    print("leaving scope")


scope()
x = Fragile("good")
x = None
items = [Fragile("bad-list"), Fragile("ok-list")]
items.clear()
print("still running")
