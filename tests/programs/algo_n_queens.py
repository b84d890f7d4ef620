def queens(n):
    solutions = []

    def place(row, cols, d1, d2, acc):
        if row == n:
            solutions.append(acc)
            return
        for c in range(n):
            if not (cols >> c & 1 or d1 >> (row + c) & 1 or d2 >> (row - c + n) & 1):
                place(row + 1, cols | 1 << c, d1 | 1 << row + c, d2 | 1 << (row - c + n), acc + (c,))

    place(0, 0, 0, 0, ())
    return solutions


def canonical(sol):
    n = len(sol)
    variants = []
    cur = list(sol)
    for _ in range(4):
        rotated = [0] * n
        for r, c in enumerate(cur):
            rotated[c] = n - 1 - r
        cur = rotated
        variants.append(tuple(cur))
        variants.append(tuple(reversed(cur)))
    return min(variants)


def draw(sol):
    for c in sol:
        print(" ".join("Q" if i == c else "." for i in range(len(sol))))


for n in range(1, 9):
    sols = queens(n)
    unique = {canonical(s) for s in sols}
    print(f"n={n}: {len(sols)} solutions, {len(unique)} unique, first={sols[0] if sols else None}")
draw(queens(8)[0])
print(sorted({canonical(s) for s in queens(6)}))
