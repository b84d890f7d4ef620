#: promise = "Freeing a chain of a hundred thousand linked objects, with and without __del__, does not exhaust the stack"
#: wall_clock_ms = 30000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
class Node:
    def __init__(self, next):
        self.next = next


class Slotted:
    __slots__ = ("next",)
    __init__ = Node.__init__


class Finalised(Node):
    def __del__(self):
        pass


for kind in (Node, Slotted, Finalised):
    chain = None
    for _ in range(10**5):
        chain = kind(chain)
    del chain
print("ok")
