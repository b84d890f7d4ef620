import itertools as it
import operator


def sliding_window(iterable, n):
    iterators = it.tee(iterable, n)
    for i, iterator in enumerate(iterators):
        next(it.islice(iterator, i, i), None)
    return zip(*iterators)


def roundrobin(*iterables):
    iterators = map(iter, iterables)
    for active in range(len(iterables), 0, -1):
        iterators = it.cycle(it.islice(iterators, active))
        yield from map(next, iterators)


print(list(sliding_window("ABCDEF", 3)))
print("".join(roundrobin("ABC", "D", "EF")))
print(list(it.batched(range(10), 4)), list(it.pairwise("abcd")))
print(list(it.accumulate([3, 1, 4, 1, 5, 9], max)), list(it.accumulate([1, 2, 3], operator.mul, initial=10)))
print([(k, len(list(g))) for k, g in it.groupby("aaabbbccdaa")])
print(list(it.zip_longest("abc", [1], fillvalue="-")))
print(["".join(p) for p in it.permutations("abc", 2)])
print(list(it.combinations_with_replacement("ab", 3)), sum(1 for _ in it.combinations(range(20), 5)))
print(list(it.product([0, 1], repeat=2)), list(it.product("xy", [1, 2, 3]))[-2:])
print(list(it.takewhile(lambda x: x < 5, it.count(1, 1.5))), list(it.dropwhile(str.isspace, "  hi")))
print(list(it.compress("ABCDEF", [1, 0, 1, 0, 1, 1])), list(it.filterfalse(lambda x: x % 3, range(10))))
print(list(it.starmap(pow, [(2, 5), (3, 2)])), list(it.chain.from_iterable([[1], [2, 3], []])))
print(list(it.islice(it.cycle("xy"), 3, 9, 2)), list(it.repeat("z", 3)))
try:
    list(it.batched("abcde", 2, strict=True))
except ValueError as e:
    print("ValueError:", e)
print(it.count(5, 2), it.repeat(1, 2))
