from collections import deque

MAZE = """\
#####################
#S  #     #   #     #
# # # ### # # # ### #
# #   #   # #   #   #
### # ### ### # ### #
#   # #   #   #     #
# ### # ### ##### # #
#     #           #E#
#####################"""


def find(grid, symbol):
    for row, line in enumerate(grid):
        if symbol in line:
            return row, line.index(symbol)


def solve(grid):
    start, end = find(grid, "S"), find(grid, "E")
    came_from = {start: None}
    queue = deque([start])
    while queue:
        current = queue.popleft()
        row, column = current
        for step in ((row - 1, column), (row + 1, column), (row, column - 1), (row, column + 1)):
            if grid[step[0]][step[1]] != "#" and step not in came_from:
                came_from[step] = current
                queue.append(step)
    path, current = [], end
    while current is not None:
        path.append(current)
        current = came_from[current]
    return path[::-1], len(came_from)


grid = MAZE.splitlines()
path, visited = solve(grid)
on_path = set(path[1:-1])
for row, line in enumerate(grid):
    print("".join("." if (row, column) in on_path else char for column, char in enumerate(line)))
print(f"{len(path) - 1} steps, {visited} cells visited")
