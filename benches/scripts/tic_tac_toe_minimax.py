from functools import cache

LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


def winner(board):
    for a, b, c in LINES:
        if board[a] != " " and board[a] == board[b] == board[c]:
            return board[a]
    return None


def moves(board):
    return [index for index, cell in enumerate(board) if cell == " "]


def play(board, index, player):
    return board[:index] + player + board[index + 1 :]


@cache
def score(board, player):
    """1 if X can force a win, -1 if O can, 0 for a draw."""
    won = winner(board)
    if won or " " not in board:
        return {"X": 1, "O": -1, None: 0}[won]
    other = "O" if player == "X" else "X"
    results = [score(play(board, index, player), other) for index in moves(board)]
    return max(results) if player == "X" else min(results)


def best_move(board, player):
    other = "O" if player == "X" else "X"
    choose = max if player == "X" else min
    return choose(moves(board), key=lambda index: score(play(board, index, player), other))


board, player = "X   O   X", "O"
while not winner(board) and " " in board:
    index = best_move(board, player)
    board = play(board, index, player)
    print(f"{player} plays {index}")
    player = "O" if player == "X" else "X"
print("\n-+-+-\n".join("|".join(board[row : row + 3]) for row in (0, 3, 6)))
print("winner:", winner(board) or "nobody", "| positions examined:", score.cache_info().currsize)
