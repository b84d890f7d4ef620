from collections import OrderedDict


class Node:
    __slots__ = ("key", "value", "prev", "next")

    def __init__(self, key=None, value=None):
        self.key, self.value = key, value
        self.prev = self.next = self


class LRU:
    def __init__(self, capacity):
        self.capacity = capacity
        self.map = {}
        self.head = Node()
        self.hits = self.misses = 0

    def _unlink(self, n):
        n.prev.next, n.next.prev = n.next, n.prev

    def _push(self, n):
        n.prev, n.next = self.head.prev, self.head
        self.head.prev.next = n
        self.head.prev = n

    def get(self, key, default=None):
        if key not in self.map:
            self.misses += 1
            return default
        self.hits += 1
        n = self.map[key]
        self._unlink(n)
        self._push(n)
        return n.value

    def put(self, key, value):
        if key in self.map:
            self._unlink(self.map[key])
        elif len(self.map) >= self.capacity:
            old = self.head.next
            print("  evict", old.key)
            self._unlink(old)
            del self.map[old.key]
        self.map[key] = n = Node(key, value)
        self._push(n)

    def __iter__(self):
        n = self.head.next
        while n is not self.head:
            yield n.key, n.value
            n = n.next


class Simple(OrderedDict):
    def __init__(self, cap):
        super().__init__()
        self.cap = cap

    def __setitem__(self, k, v):
        super().__setitem__(k, v)
        self.move_to_end(k)
        if len(self) > self.cap:
            self.popitem(last=False)


lru, simple = LRU(3), Simple(3)
for op in "put a 1;put b 2;get a;put c 3;put d 4;get b;get a;put e 5;put a 9;get c;get e".split(";"):
    verb, key, *val = op.split()
    if verb == "put":
        lru.put(key, int(val[0]))
        simple[key] = int(val[0])
    else:
        print(op, "->", lru.get(key))
        if key in simple:
            simple.move_to_end(key)
    print(f"{op:8} {list(lru)}")
print(lru.hits, lru.misses, list(simple.items()) == list(lru))
