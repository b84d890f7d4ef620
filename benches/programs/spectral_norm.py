"""Spectral norm of an infinite matrix, by the power method on its leading block."""

from math import sqrt

SIZE = 260
ROUNDS = 10


def element(i, j):
    ij = i + j
    return 1.0 / (ij * (ij + 1) // 2 + i + 1)


def times(u):
    out = []
    for i in range(len(u)):
        total = 0.0
        for j, uj in enumerate(u):
            total += element(i, j) * uj
        out.append(total)
    return out


def times_transposed(u):
    out = []
    for i in range(len(u)):
        total = 0.0
        for j, uj in enumerate(u):
            total += element(j, i) * uj
        out.append(total)
    return out


def bench() -> object:
    u = [1.0] * SIZE
    v = u
    for _ in range(ROUNDS):
        v = times_transposed(times(u))
        u = times_transposed(times(v))
    uv = vv = 0.0
    for a, b in zip(u, v):
        uv += a * b
        vv += b * b
    return round(sqrt(uv / vv), 9)


if __name__ == "__main__":
    print(bench())
