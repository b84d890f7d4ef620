# stdin:
#< 4 5
#< .#...
#< .#.#.
#< ...#.
#< ##...
#< 0 0 3 4
import sys
from collections import deque

data = iter(sys.stdin.readline, "")
rows, cols = map(int, next(data).split())
grid = [next(data).strip() for _ in range(rows)]
r0, c0, r1, c1 = map(int, next(data).split())
print(rows, cols, (r0, c0), (r1, c1))
print("\n".join(grid))


def solve():
    prev = {(r0, c0): None}
    q = deque([(r0, c0)])
    while q:
        cur = q.popleft()
        if cur == (r1, c1):
            path = []
            while cur:
                path.append(cur)
                cur = prev[cur]
            return path[::-1]
        for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
            nxt = (cur[0] + dr, cur[1] + dc)
            if 0 <= nxt[0] < rows and 0 <= nxt[1] < cols and grid[nxt[0]][nxt[1]] != "#" and nxt not in prev:
                prev[nxt] = cur
                q.append(nxt)


path = solve()
print(len(path) - 1, "steps")
canvas = [list(row) for row in grid]
for i, (r, c) in enumerate(path):
    canvas[r][c] = chr(ord("a") + i)
for row in canvas:
    print("".join(row))
print(next(data, "no more input"))
