from itertools import accumulate, batched, chain, combinations, cycle, islice, pairwise, permutations, product, starmap

TEAMS = ["Foxes", "Owls", "Bears", "Hawks", "Wolves", "Seals"]


def round_robin(teams):
    fixed, *rest = teams
    for _ in range(len(teams) - 1):
        line = [fixed, *rest]
        half = len(line) // 2
        yield list(zip(line[:half], reversed(line[half:])))
        rest = rest[-1:] + rest[:-1]


fields = cycle(["North", "South"])
for week, matches in enumerate(round_robin(TEAMS), start=1):
    print(f"Week {week}: " + "; ".join(f"{a} v {b} ({next(fields)})" for a, b in matches))

played = {frozenset(match) for week in round_robin(TEAMS) for match in week}
print("everybody meets everybody:", played == {frozenset(pair) for pair in combinations(TEAMS, 2)})

goals = [2, 0, 3, 1, 1, 4]
print("running total:", list(accumulate(goals)))
print("best so far:  ", list(accumulate(goals, max)))
print("changes:      ", [b - a for a, b in pairwise(goals)])
print("pairs:        ", list(batched(goals, 2)))
print("powers:       ", list(starmap(pow, [(2, 5), (3, 2), (10, 3)])))

sizes, colours = ["S", "M"], ["red", "blue"]
print("shirts:", ", ".join(f"{size}-{colour}" for size, colour in product(sizes, colours)))
print("first orders:", ["".join(p) for p in islice(permutations("ABCD"), 5)])
print("chained:", list(chain.from_iterable([[1, 2], [], [3]])))
