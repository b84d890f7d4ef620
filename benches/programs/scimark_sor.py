"""Jacobi successive over-relaxation on a square grid of floats."""

SIZE = 120
ITERATIONS = 200
OMEGA = 1.25


class Grid:
    """A dense matrix kept in one flat list, reached through item access."""

    def __init__(self, width, height):
        self.width = width
        self.height = height
        self.data = [0.0] * (width * height)

    def fill(self):
        seed = 101010
        for i in range(len(self.data)):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            self.data[i] = seed / 0x7FFFFFFF


def relax(grid, omega, iterations):
    width, height, data = grid.width, grid.height, grid.data
    quarter = omega * 0.25
    keep = 1.0 - omega
    for _ in range(iterations):
        for y in range(1, height - 1):
            row = y * width
            for x in range(row + 1, row + width - 1):
                data[x] = (
                    quarter * (data[x - width] + data[x + width] + data[x - 1] + data[x + 1])
                    + keep * data[x]
                )


def bench() -> object:
    grid = Grid(SIZE, SIZE)
    grid.fill()
    relax(grid, OMEGA, ITERATIONS)
    middle = grid.data[(SIZE // 2) * SIZE + SIZE // 2]
    total = 0.0
    for value in grid.data:
        total += value
    return round(middle, 9), round(total, 6)


if __name__ == "__main__":
    print(bench())
