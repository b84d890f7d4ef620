from collections import Counter

GLIDER = {(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)}
BLINKER = {(10, 3), (10, 4), (10, 5)}
R_PENTOMINO = {(6, 15), (6, 16), (7, 14), (7, 15), (8, 15)}


def step(cells):
    neighbours = Counter(
        (row + dr, column + dc)
        for row, column in cells
        for dr in (-1, 0, 1)
        for dc in (-1, 0, 1)
        if (dr, dc) != (0, 0)
    )
    return {cell for cell, count in neighbours.items() if count == 3 or (count == 2 and cell in cells)}


def draw(cells, rows=14, columns=26):
    for row in range(rows):
        print("".join("#" if (row, column) in cells else "." for column in range(columns)))


cells = GLIDER | BLINKER | R_PENTOMINO
for generation in range(13):
    if generation % 6 == 0:
        print(f"Generation {generation}: {len(cells)} cells")
        draw(cells)
    cells = step(cells)
