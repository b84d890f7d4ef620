#: promise = "Millions of small objects end in MemoryError, or the job is stopped for its memory"
#: wall_clock_ms = 30000
#: outcome = ["completed", "memory_limit", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
class Node:
    def __init__(self, previous):
        self.previous = previous
        self.name = "node" * 10


def grow():
    chain = None
    while True:
        chain = Node(chain)


try:
    grow()
except MemoryError:
    print("ok")
