"""N-queens by brute force: filter every permutation through diagonal sets."""

SIZE = 8
REPEATS = 6


def permutations(pool):
    """Yield the permutations of a sequence as tuples, index-cycling style."""
    pool = tuple(pool)
    n = len(pool)
    indices = list(range(n))
    cycles = list(range(n, 0, -1))
    yield pool
    while True:
        for i in reversed(range(n)):
            cycles[i] -= 1
            if cycles[i] == 0:
                indices[i:] = indices[i + 1 :] + indices[i : i + 1]
                cycles[i] = n - i
            else:
                j = n - cycles[i]
                indices[i], indices[j] = indices[j], indices[i]
                yield tuple([pool[k] for k in indices])
                break
        else:
            return


def queens(n):
    columns = range(n)
    for vec in permutations(columns):
        if n == len({vec[i] + i for i in columns}) == len({vec[i] - i for i in columns}):
            yield vec


def bench() -> object:
    found = []
    for _ in range(REPEATS):
        found = list(queens(SIZE))
    return len(found), found[0], found[-1]


if __name__ == "__main__":
    print(bench())
