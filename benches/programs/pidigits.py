"""Digits of pi by an unbounded spigot on big integers."""

from itertools import count, islice

DIGITS = 2600


def compose(a, b):
    aq, ar, as_, at = a
    bq, br, bs, bt = b
    return (
        aq * bq,
        aq * br + ar * bt,
        as_ * bq + at * bs,
        as_ * br + at * bt,
    )


def extract(z, j):
    q, r, s, t = z
    return (q * j + r) // (s * j + t)


def digits_of_pi():
    z = (1, 0, 0, 1)
    terms = ((k, 4 * k + 2, 0, 2 * k + 1) for k in count(1))
    while True:
        y = extract(z, 3)
        while y != extract(z, 4):
            z = compose(z, next(terms))
            y = extract(z, 3)
        z = compose((10, -10 * y, 0, 1), z)
        yield y


def bench() -> object:
    digits = list(islice(digits_of_pi(), DIGITS))
    return "".join(map(str, digits[:10])), "".join(map(str, digits[-10:])), sum(digits)


if __name__ == "__main__":
    print(bench())
