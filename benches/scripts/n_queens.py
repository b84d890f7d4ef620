def solve(size):
    """Yield every placement of queens as a tuple of columns, row by row."""
    def place(row, columns, left, right, placed):
        if row == size:
            yield tuple(placed)
            return
        for column in range(size):
            if column in columns or row - column in left or row + column in right:
                continue
            yield from place(
                row + 1, columns | {column}, left | {row - column}, right | {row + column}, placed + [column]
            )

    yield from place(0, frozenset(), frozenset(), frozenset(), [])


def draw(solution):
    size = len(solution)
    return "\n".join(" ".join("Q" if solution[row] == column else "." for column in range(size)) for row in range(size))


for size in range(1, 7):
    print(f"{size} queens: {sum(1 for _ in solve(size))} solutions")

first = next(solve(8))
print("\nFirst solution for 8 queens:")
print(draw(first))
