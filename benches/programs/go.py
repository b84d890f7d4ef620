"""Go on a small board: Monte Carlo tree search with random playouts."""

from math import log, sqrt

SIZE = 9
PLAYOUTS = 150
MAX_MOVES = SIZE * SIZE * 2
KOMI = 7.5
EMPTY, BLACK, WHITE = 0, 1, 2
PASS = -1


def make_neighbours():
    table = []
    for pos in range(SIZE * SIZE):
        y, x = divmod(pos, SIZE)
        near = []
        for dx, dy in ((-1, 0), (1, 0), (0, -1), (0, 1)):
            if 0 <= x + dx < SIZE and 0 <= y + dy < SIZE:
                near.append((y + dy) * SIZE + x + dx)
        table.append(tuple(near))
    return table


NEIGHBOURS = make_neighbours()


class Random:
    def __init__(self, seed):
        self.state = seed

    def below(self, n):
        self.state = self.state * 48271 % 0x7FFFFFFF
        return (self.state >> 3) % n


class Board:
    def __init__(self):
        self.points = [EMPTY] * (SIZE * SIZE)
        self.empty = list(range(SIZE * SIZE))
        self.colour = BLACK
        self.ko = PASS
        self.passes = 0
        self.moves = 0

    def copy(self):
        other = Board.__new__(Board)
        other.points = self.points[:]
        other.empty = self.empty[:]
        other.colour = self.colour
        other.ko = self.ko
        other.passes = self.passes
        other.moves = self.moves
        return other

    def group(self, pos):
        """The stones joined to one, and whether the group has any liberty."""
        points = self.points
        colour = points[pos]
        stones = [pos]
        seen = {pos}
        alive = False
        for stone in stones:
            for near in NEIGHBOURS[stone]:
                there = points[near]
                if there == EMPTY:
                    alive = True
                elif there == colour and near not in seen:
                    seen.add(near)
                    stones.append(near)
        return stones, alive

    def has_liberty(self, pos):
        points = self.points
        colour = points[pos]
        todo = [pos]
        seen = {pos}
        while todo:
            for near in NEIGHBOURS[todo.pop()]:
                there = points[near]
                if there == EMPTY:
                    return True
                if there == colour and near not in seen:
                    seen.add(near)
                    todo.append(near)
        return False

    def fills_own_eye(self, pos):
        for near in NEIGHBOURS[pos]:
            if self.points[near] != self.colour:
                return False
        return True

    def is_useful(self, pos):
        """Legal, and not a stone put into one's own eye."""
        if pos == self.ko or self.fills_own_eye(pos):
            return False
        points = self.points
        for near in NEIGHBOURS[pos]:
            if points[near] == EMPTY:
                return True
        points[pos] = self.colour
        good = self.has_liberty(pos)
        if not good:
            enemy = 3 - self.colour
            for near in NEIGHBOURS[pos]:
                if points[near] == enemy and not self.has_liberty(near):
                    good = True
                    break
        points[pos] = EMPTY
        return good

    def play(self, pos):
        self.moves += 1
        if pos == PASS:
            self.passes += 1
            self.ko = PASS
        else:
            self.passes = 0
            self.place(pos)
        self.colour = 3 - self.colour

    def place(self, pos):
        points, colour = self.points, self.colour
        enemy = 3 - colour
        points[pos] = colour
        self.empty.remove(pos)
        taken = []
        for near in NEIGHBOURS[pos]:
            if points[near] == enemy:
                stones, alive = self.group(near)
                if not alive:
                    for stone in stones:
                        points[stone] = EMPTY
                    taken += stones
        self.empty += taken
        self.ko = PASS
        if len(taken) == 1 and len(self.group(pos)[0]) == 1:
            self.ko = taken[0]

    def random_move(self, rng):
        """Draw empty points without putting them back until one is useful."""
        empty = self.empty
        left = len(empty)
        while left:
            i = rng.below(left)
            pos = empty[i]
            if self.is_useful(pos):
                return pos
            left -= 1
            empty[i], empty[left] = empty[left], empty[i]
        return PASS

    def useful_moves(self):
        return [pos for pos in sorted(self.empty) if self.is_useful(pos)]

    def over(self):
        return self.passes >= 2 or self.moves >= MAX_MOVES

    def black_lead(self):
        lead = -KOMI
        for pos, there in enumerate(self.points):
            if there == EMPTY:
                sides = {self.points[near] for near in NEIGHBOURS[pos]}
                if BLACK in sides and WHITE not in sides:
                    lead += 1
                elif WHITE in sides and BLACK not in sides:
                    lead -= 1
            else:
                lead += 1 if there == BLACK else -1
        return lead

    def playout(self, rng):
        while not self.over():
            self.play(self.random_move(rng))
        return BLACK if self.black_lead() > 0 else WHITE


class Node:
    def __init__(self, board):
        self.mover = board.colour
        self.untried = board.useful_moves() or [PASS]
        self.children = {}
        self.wins = 0
        self.visits = 0

    def best_child(self):
        scale = log(self.visits)
        best = None
        chosen = None
        for move, child in self.children.items():
            # A child's wins are counted for whoever moved into it.
            score = child.wins / child.visits + sqrt(0.5 * scale / child.visits)
            if best is None or score > best:
                best = score
                chosen = move
        return chosen


def search(board, playouts, rng):
    root = Node(board)
    steps = 0
    for _ in range(playouts):
        trial = board.copy()
        node = root
        path = [(None, root)]
        while not node.untried and node.children and not trial.over():
            move = node.best_child()
            trial.play(move)
            path.append((node.mover, node.children[move]))
            node = node.children[move]
        if node.untried and not trial.over():
            move = node.untried.pop(rng.below(len(node.untried)))
            trial.play(move)
            child = node.children[move] = Node(trial)
            path.append((node.mover, child))
        winner = trial.playout(rng)
        steps += trial.moves
        for mover, visited in path:
            visited.visits += 1
            if mover == winner:
                visited.wins += 1
    move = max(root.children, key=lambda m: root.children[m].visits)
    return move, root, steps


def bench() -> object:
    rng = Random(20)
    board = Board()
    total = 0
    for _ in range(2):
        move, root, steps = search(board, PLAYOUTS, rng)
        total += steps
        board.play(move)
    return total, move, len(root.children), root.children[move].visits


if __name__ == "__main__":
    print(bench())
