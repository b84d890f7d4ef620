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


def candidates(board, row, col):
    used = set(board[row]) | {board[r][col] for r in range(9)}
    top, left = row // 3 * 3, col // 3 * 3
    used |= {board[r][c] for r in range(top, top + 3) for c in range(left, left + 3)}
    return [n for n in range(1, 10) if n not in used]


def solve(board):
    best = None
    for row in range(9):
        for col in range(9):
            if board[row][col] == 0:
                options = candidates(board, row, col)
                if best is None or len(options) < len(best[2]):
                    best = (row, col, options)
    if best is None:
        return True
    row, col, options = best
    for number in options:
        board[row][col] = number
        if solve(board):
            return True
    board[row][col] = 0
    return False


board = [[int(char) for char in line.replace(".", "0")] for line in PUZZLE.split()]
print("solved:", solve(board))
for index, row in enumerate(board):
    if index in (3, 6):
        print("------+-------+------")
    print(" | ".join(" ".join(map(str, row[i : i + 3])) for i in (0, 3, 6)))
