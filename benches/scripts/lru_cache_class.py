from collections import OrderedDict


class LRUCache:
    def __init__(self, capacity: int):
        if capacity < 1:
            raise ValueError("capacity must be at least 1")
        self.capacity = capacity
        self.data = OrderedDict()
        self.hits = self.misses = 0

    def get(self, key, default=None):
        if key not in self.data:
            self.misses += 1
            return default
        self.hits += 1
        self.data.move_to_end(key)
        return self.data[key]

    def put(self, key, value):
        if key in self.data:
            self.data.move_to_end(key)
        self.data[key] = value
        if len(self.data) > self.capacity:
            evicted, _ = self.data.popitem(last=False)
            print(f"  evicted {evicted!r}")

    def __repr__(self):
        return f"LRUCache({', '.join(f'{k}={v}' for k, v in self.data.items())})"


cache = LRUCache(3)
for key, value in [("a", 1), ("b", 2), ("c", 3)]:
    cache.put(key, value)
print(cache)
print("get a:", cache.get("a"))
cache.put("d", 4)
print("get b:", cache.get("b", "missing"))
cache.put("c", 30)
cache.put("e", 5)
print(cache)
print(f"hits={cache.hits} misses={cache.misses} rate={cache.hits / (cache.hits + cache.misses):.0%}")
