"""Markov decision process of a duel: graph search, components, value iteration."""

HEALTH = 18
DRINKS = 2
TOLERANCE = 1e-9

# action: (chance to hit, damage, more damage when the hit is critical)
ATTACKS = {
    "jab": (0.95, 2, 1),
    "slash": (0.75, 3, 2),
    "smash": (0.45, 6, 3),
}
CRITICAL = 0.125
HEAL = 4


def strike(state, attacker, name):
    """The outcomes of one attack as (probability, state) pairs."""
    chance, damage, extra = ATTACKS[name]
    outcomes = [(1.0 - chance, state)]
    for share, harm in ((1 - CRITICAL, damage), (CRITICAL, damage + extra)):
        mine, theirs, my_drinks, their_drinks, tired = state
        if attacker == 0:
            theirs = max(theirs - harm, 0)
        else:
            mine = max(mine - harm, 0)
        outcomes.append((chance * share, (mine, theirs, my_drinks, their_drinks, tired)))
    return outcomes


def drink(state, who):
    mine, theirs, my_drinks, their_drinks, tired = state
    if who == 0:
        after = (min(mine + HEAL, HEALTH), theirs, my_drinks - 1, their_drinks, tired)
    else:
        after = (mine, min(theirs + HEAL, HEALTH), my_drinks, their_drinks - 1, tired)
    return [(1.0, after)]


def set_tired(outcomes, tired):
    return [(p, state[:4] + (tired,)) for p, state in outcomes]


def my_actions(state):
    """What the player may do; a smash leaves the player tired for one turn."""
    actions = {}
    for name in ATTACKS:
        if name == "smash" and state[4]:
            continue
        actions[name] = set_tired(strike(state, 0, name), int(name == "smash"))
    if state[2]:
        actions["drink"] = set_tired(drink(state, 0), 0)
    actions["rest"] = [(1.0, state[:4] + (0,))]
    return actions


def their_reply(state):
    """The opponent's fixed habits, as one distribution over states."""
    _, theirs, _, their_drinks, _ = state
    if theirs <= 4 and their_drinks:
        habits = ((0.6, "drink"), (0.4, "jab"))
    elif theirs <= 7:
        habits = ((0.3, "smash"), (0.3, "slash"), (0.3, "jab"), (0.1, "wait"))
    else:
        habits = ((0.5, "slash"), (0.3, "jab"), (0.2, "wait"))
    result = []
    for weight, habit in habits:
        if habit == "drink":
            outcomes = drink(state, 1)
        elif habit == "wait":
            outcomes = [(1.0, state)]
        else:
            outcomes = strike(state, 1, habit)
        result.extend([(weight * p, after) for p, after in outcomes])
    return result


def is_over(state):
    return state[0] == 0 or state[1] == 0


def successors(state):
    """One full turn for each action: merged distributions over next states."""
    table = {}
    for name, outcomes in my_actions(state).items():
        merged = {}
        for p, middle in outcomes:
            replies = [(1.0, middle)] if is_over(middle) else their_reply(middle)
            for q, after in replies:
                merged[after] = merged.get(after, 0.0) + p * q
        table[name] = list(merged.items())
    return table


def explore(start):
    graph = {}
    todo = [start]
    while todo:
        state = todo.pop()
        if state in graph:
            continue
        if is_over(state):
            graph[state] = {}
            continue
        table = graph[state] = successors(state)
        for outcomes in table.values():
            for after, _ in outcomes:
                if after not in graph:
                    todo.append(after)
    return graph


def neighbours(graph, state):
    seen = {}
    for outcomes in graph[state].values():
        for after, _ in outcomes:
            seen[after] = None
    return list(seen)


def components(graph, start):
    """Strongly connected components, successors first (Tarjan, without recursion)."""
    index = {}
    low = {}
    on_stack = {}
    stack = []
    result = []
    work = [(start, iter(neighbours(graph, start)))]
    index[start] = low[start] = 0
    stack.append(start)
    on_stack[start] = True
    while work:
        state, pending = work[-1]
        for after in pending:
            if after not in index:
                index[after] = low[after] = len(index)
                stack.append(after)
                on_stack[after] = True
                work.append((after, iter(neighbours(graph, after))))
                break
            if on_stack[after]:
                low[state] = min(low[state], index[after])
        else:
            work.pop()
            if work:
                parent = work[-1][0]
                low[parent] = min(low[parent], low[state])
            if low[state] == index[state]:
                group = []
                while True:
                    member = stack.pop()
                    on_stack[member] = False
                    group.append(member)
                    if member == state:
                        break
                result.append(group)
    return result


def evaluate(graph, groups):
    """The best chance of winning from every state, one component at a time."""
    values = {}
    sweeps = 0
    for group in groups:
        for state in group:
            values[state] = 1.0 if state[1] == 0 and state[0] > 0 else 0.0
        if not graph[group[0]]:
            continue
        while True:
            sweeps += 1
            change = 0.0
            for state in group:
                best = 0.0
                for outcomes in graph[state].values():
                    value = 0.0
                    for after, p in outcomes:
                        value += p * values[after]
                    if value > best:
                        best = value
                change = max(change, best - values[state])
                values[state] = best
            if change < TOLERANCE:
                break
    return values, sweeps


def bench() -> object:
    start = (HEALTH, HEALTH, DRINKS, DRINKS, 0)
    graph = explore(start)
    groups = components(graph, start)
    values, sweeps = evaluate(graph, groups)
    return len(graph), len(groups), sweeps, round(values[start], 6)


if __name__ == "__main__":
    print(bench())
