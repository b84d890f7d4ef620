"""What goes first when the program ends: garbage in cycles, then globals in their order, lists from their ends."""
class Part:
    def __init__(self, name):
        self.name = name

    def __del__(self):
        print("gone", self.name)


def leak(part):
    ring = [part]
    ring.append(ring)


first = Part("first")
several = [Part("several 1"), Part("several 2"), Part("several 3")]
by_name = {"a": Part("by name a"), "b": Part("by name b")}
leak(Part("cycle 1"))
leak(Part("cycle 2"))
_hidden = Part("hidden")
print("end")
