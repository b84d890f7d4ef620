"""Unpacking of small tuples and lists, many statements per loop round."""

ROUNDS = 500000


def unpack_many(rounds, seq):
    for _ in range(rounds):
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
        a, b, c, d, e, f, g, h, i, j = seq
    return a + b + c + d + e + f + g + h + i + j


def unpack_pairs(rounds):
    a, b = 0, 1
    pair = (3, 5)
    cell = [7, 11]
    for _ in range(rounds):
        c, d = pair
        e, f = cell
        a, b = b, a
        c, d = pair
        e, f = cell
        a, b = b, a
        c, d = pair
        e, f = cell
        a, b = b, a
    return a, b, c + d + e + f


def unpack_starred(rounds, seq):
    total = 0
    for _ in range(rounds):
        first, *middle, last = seq
        total += len(middle) + first + last
    return total


def bench() -> object:
    numbers = range(10)
    as_tuple = unpack_many(ROUNDS, tuple(numbers))
    as_list = unpack_many(ROUNDS, list(numbers))
    pairs = unpack_pairs(ROUNDS)
    starred = unpack_starred(ROUNDS // 2, tuple(numbers))
    return as_tuple, as_list, pairs, starred


if __name__ == "__main__":
    print(bench())
