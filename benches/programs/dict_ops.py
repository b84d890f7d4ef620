"""Everyday dict work: insert, look up, count, group, merge, delete and iterate."""

from collections import Counter, OrderedDict, defaultdict

SIZE = 30000
ROUNDS = 12


def numbers(n):
    seed = 12345
    for _ in range(n):
        seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
        yield seed >> 10


def int_keys(values):
    table = {}
    for v in values:
        table[v] = table.get(v, 0) + 1
    hits = 0
    for v in range(0, SIZE):
        if v in table:
            hits += table[v]
    return len(table), hits


def str_keys(names):
    table = {}
    for i, name in enumerate(names):
        table[name] = i
    total = 0
    for name in names:
        total += table[name]
    for name in names[::2]:
        table.pop(name, None)
    for name in names[:100]:
        table.setdefault(name, -1)
    return len(table), total


def tuple_keys(values):
    grid = {}
    for v in values:
        key = (v % 97, v % 89)
        if key in grid:
            grid[key] += v & 7
        else:
            grid[key] = v & 7
    neighbours = 0
    for (x, y), weight in grid.items():
        if (x + 1, y) in grid:
            neighbours += weight
        if (x, y + 1) in grid:
            neighbours += weight
    return len(grid), neighbours


def grouping(values):
    groups = defaultdict(list)
    for v in values:
        groups[v % 251].append(v)
    counts = Counter(v % 53 for v in values)
    longest = max(len(group) for group in groups.values())
    return len(groups), longest, sum(count for _, count in counts.most_common(5))


def merging():
    base = {f"option_{i}": i for i in range(40)}
    total = 0
    for i in range(1500):
        layer = {"option_3": i, "option_x": i + 1}
        merged = {**base, **layer}
        merged |= {"extra": i}
        total += merged["option_3"] + len(merged)
        other = base.copy()
        other.update(layer)
        total += sum(other.values()) & 15
        del other["option_7"]
        total += len(other.keys() & layer.keys())
    return total


def least_recent(values):
    cache = OrderedDict()
    misses = 0
    for v in values:
        key = v % 700
        if key in cache:
            cache.move_to_end(key)
        else:
            misses += 1
            cache[key] = v
            if len(cache) > 500:
                cache.popitem(last=False)
    return misses


def bench() -> object:
    values = list(numbers(SIZE))
    names = [f"key{v % 20000}" for v in values]
    result = None
    for _ in range(ROUNDS):
        result = (
            int_keys(values),
            str_keys(names),
            tuple_keys(values),
            grouping(values),
            merging(),
            least_recent(values),
        )
    return result


if __name__ == "__main__":
    print(bench())
