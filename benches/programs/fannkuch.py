"""Fannkuch-redux: maximum pancake flips and checksum over all permutations."""

SIZE = 9


def fannkuch(n):
    perm = list(range(n))
    counters = [0] * n
    max_flips = 0
    checksum = 0
    sign = 1
    while True:
        first = perm[0]
        if first:
            work = perm[:]
            flips = 0
            while first:
                work[: first + 1] = work[first::-1]
                flips += 1
                first = work[0]
            if flips > max_flips:
                max_flips = flips
            checksum += sign * flips
        # Next permutation, in the order the checksum is defined for.
        if sign > 0:
            perm[0], perm[1] = perm[1], perm[0]
            sign = -1
            continue
        perm[1], perm[2] = perm[2], perm[1]
        sign = 1
        i = 2
        while True:
            if counters[i] < i:
                counters[i] += 1
                break
            counters[i] = 0
            i += 1
            if i == n:
                return checksum, max_flips
            perm.insert(i, perm.pop(0))


def bench() -> object:
    return fannkuch(SIZE)


if __name__ == "__main__":
    print(bench())
