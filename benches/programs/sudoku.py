"""Sudoku by exact cover: backtracking search over rows and columns kept in dicts."""

REPEATS = 9

PUZZLES = (
    "8..........36......7..9.2...5...7.......457.....1...3...1....68..85...1..9....4..",
    "4.....8.5.3..........7......2.....6.....8.4......1.......6.3.7.5..2.....1.4......",
    "..............3.85..1.2.......5.7.....4...1...9.......5......73..2.1........4...9",
)


def make_rows():
    """Each placement (row, column, digit) and the four constraints it meets."""
    rows = {}
    for r in range(9):
        for c in range(9):
            box = r // 3 * 3 + c // 3
            for d in range(9):
                rows[r, c, d] = (
                    ("cell", r, c),
                    ("row", r, d),
                    ("column", c, d),
                    ("box", box, d),
                )
    return rows


def make_columns(rows):
    # Dicts stand in for sets so that the order of the search is always the same.
    columns = {}
    for row, constraints in rows.items():
        for constraint in constraints:
            columns.setdefault(constraint, {})[row] = None
    return columns


def choose(columns, rows, row):
    removed = []
    for constraint in rows[row]:
        for other in columns[constraint]:
            for k in rows[other]:
                if k != constraint:
                    columns[k].pop(other, None)
        removed.append(columns.pop(constraint))
    return removed


def restore(columns, rows, row, removed):
    for constraint in reversed(rows[row]):
        columns[constraint] = removed.pop()
        for other in columns[constraint]:
            for k in rows[other]:
                if k != constraint:
                    columns[k][other] = None


class Solver:
    def __init__(self, puzzle):
        self.rows = make_rows()
        self.columns = make_columns(self.rows)
        self.chosen = []
        self.nodes = 0
        for i, char in enumerate(puzzle):
            if char != ".":
                row = (i // 9, i % 9, int(char) - 1)
                choose(self.columns, self.rows, row)
                self.chosen.append(row)

    def solutions(self):
        self.nodes += 1
        if not self.columns:
            yield list(self.chosen)
            return
        # The constraint with the fewest ways left to meet it.
        fewest = 1000
        pick = None
        for constraint, candidates in self.columns.items():
            if len(candidates) < fewest:
                pick = constraint
                fewest = len(candidates)
                if fewest <= 1:
                    break
        for row in list(self.columns[pick]):
            self.chosen.append(row)
            removed = choose(self.columns, self.rows, row)
            yield from self.solutions()
            restore(self.columns, self.rows, row, removed)
            self.chosen.pop()


def as_text(solution):
    grid = [["."] * 9 for _ in range(9)]
    for r, c, d in solution:
        grid[r][c] = str(d + 1)
    return "".join(map("".join, grid))


def bench() -> object:
    answers = []
    nodes = 0
    for _ in range(REPEATS):
        answers = []
        for puzzle in PUZZLES:
            solver = Solver(puzzle)
            answers.append(as_text(next(solver.solutions())))
            nodes += solver.nodes
    for puzzle, answer in zip(PUZZLES, answers):
        for given, found in zip(puzzle, answer):
            if given not in (".", found):
                raise ValueError("a given digit was changed")
    return nodes, tuple([answer[:9] for answer in answers])


if __name__ == "__main__":
    print(bench())
