PUZZLE = """
53..7....
6..195...
.98....6.
8...6...3
4..8.3..1
7...2...6
.6....28.
...419..5
....8..79
"""


def parse(text):
    return [[0 if c == "." else int(c) for c in row] for row in text.split()]


def candidates(grid, r, c):
    used = set(grid[r]) | {grid[i][c] for i in range(9)}
    br, bc = r // 3 * 3, c // 3 * 3
    used |= {grid[i][j] for i in range(br, br + 3) for j in range(bc, bc + 3)}
    return [n for n in range(1, 10) if n not in used]


steps = 0


def solve(grid):
    global steps
    best = None
    for r in range(9):
        for c in range(9):
            if grid[r][c] == 0:
                opts = candidates(grid, r, c)
                if best is None or len(opts) < len(best[2]):
                    best = (r, c, opts)
    if best is None:
        return True
    r, c, opts = best
    for n in opts:
        steps += 1
        grid[r][c] = n
        if solve(grid):
            return True
    grid[r][c] = 0
    return False


def show(grid):
    for i, row in enumerate(grid):
        if i and i % 3 == 0:
            print("------+-------+------")
        print(" | ".join(" ".join(str(n or ".") for n in row[j:j + 3]) for j in (0, 3, 6)))


grid = parse(PUZZLE)
show(grid)
print("solved:", solve(grid), "steps:", steps)
show(grid)
print(all(sorted(row) == list(range(1, 10)) for row in grid), all(sorted(col) == list(range(1, 10)) for col in zip(*grid)))
bad = parse(PUZZLE)
bad[0][2] = 3
print("invalid puzzle:", solve(bad) if len(set(bad[0]) - {0}) == len([n for n in bad[0] if n]) else "rejected")
