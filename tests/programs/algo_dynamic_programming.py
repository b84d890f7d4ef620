from functools import cache
from itertools import accumulate


def lcs(a, b):
    table = [[""] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i, x in enumerate(a, 1):
        for j, y in enumerate(b, 1):
            table[i][j] = table[i - 1][j - 1] + x if x == y else max(table[i - 1][j], table[i][j - 1], key=len)
    return table[-1][-1]


def levenshtein(a, b):
    prev = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        cur = [i]
        for j, y in enumerate(b, 1):
            cur.append(min(prev[j] + 1, cur[-1] + 1, prev[j - 1] + (x != y)))
        prev = cur
    return prev[-1]


def knapsack(items, cap):
    best = [(0, ())] * (cap + 1)
    for name, weight, value in items:
        for c in range(cap, weight - 1, -1):
            v, names = best[c - weight]
            best[c] = max(best[c], (v + value, names + (name,)), key=lambda t: t[0])
    return best[cap]


@cache
def change(amount, coins):
    if amount == 0:
        return 1
    if amount < 0 or not coins:
        return 0
    return change(amount - coins[0], coins) + change(amount, coins[1:])


def max_subarray(nums):
    sums = list(accumulate(nums, lambda acc, x: max(acc + x, x)))
    return max(sums), sums


def pascal(n):
    row = [1]
    for _ in range(n):
        yield row
        row = [a + b for a, b in zip([0] + row, row + [0])]


print(lcs("AGGTAB", "GXTXAYB"), lcs("dynamic", "programming"), repr(lcs("abc", "xyz")))
for a, b in (("kitten", "sitting"), ("", "abc"), ("flaw", "lawn"), ("same", "same"), ("Straße", "strasse")):
    print(a, b, levenshtein(a, b))
print(knapsack([("map", 9, 150), ("compass", 13, 35), ("water", 153, 200), ("tent", 50, 160), ("glucose", 15, 60), ("tin", 68, 45)], 100))
print(change(100, (50, 25, 10, 5, 1)), change.cache_info().misses, change(500, (200, 100, 50, 20, 10, 5, 2, 1)))
print(max_subarray([-2, 1, -3, 4, -1, 2, 1, -5, 4]))
for row in pascal(7):
    print(" ".join(f"{x:3}" for x in row).center(32).rstrip())
