from collections import Counter
import random

GLIDER = {(0, 1), (1, 2), (2, 0), (2, 1), (2, 2)}
BLINKER = {(1, 0), (1, 1), (1, 2)}


def step(cells):
    near = Counter((r + dr, c + dc) for r, c in cells for dr in (-1, 0, 1) for dc in (-1, 0, 1) if dr or dc)
    return {cell for cell, n in near.items() if n == 3 or (n == 2 and cell in cells)}


def render(cells, height=6, width=8):
    return "\n".join("".join("#" if (r, c) in cells else "." for c in range(width)) for r in range(height))


cells = GLIDER
for gen in range(5):
    print(f"gen {gen} population {len(cells)}")
    print(render(cells))
    cells = step(cells)
moved = {(r - 1, c - 1) for r, c in GLIDER}
check = GLIDER
for _ in range(4):
    check = step(check)
print("glider moved:", {(r + 1, c + 1) for r, c in GLIDER} == check, moved != check)
print("blinker period 2:", step(step(BLINKER)) == BLINKER, sorted(step(BLINKER)))

rng = random.Random(99)
soup = {(r, c) for r in range(12) for c in range(12) if rng.random() < 0.35}
history = [len(soup)]
seen = {frozenset(soup): 0}
for gen in range(1, 150):
    soup = step(soup)
    history.append(len(soup))
    if frozenset(soup) in seen:
        print(f"cycle at gen {gen}, period {gen - seen[frozenset(soup)]}")
        break
    seen[frozenset(soup)] = gen
print(history[:20], "...", history[-1], "max", max(history))


def rule(n, width=31, steps=8):
    row = [0] * width
    row[width // 2] = 1
    for _ in range(steps):
        yield "".join(" *"[x] for x in row)
        row = [n >> (row[i - 1] * 4 + row[i] * 2 + row[(i + 1) % width]) & 1 for i in range(width)]


print("\n".join(line.rstrip() for line in rule(90)))
