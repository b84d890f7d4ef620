from graphlib import CycleError, TopologicalSorter

deps = {
    "app": {"web", "db"},
    "web": {"http", "templates"},
    "http": {"sockets"},
    "templates": {"strings"},
    "db": {"sockets", "strings"},
    "tests": {"app"},
}
ts = TopologicalSorter(deps)
ts.prepare()
level = 0
while ts.is_active():
    ready = sorted(ts.get_ready())
    print(f"level {level}: {ready}")
    ts.done(*ready)
    level += 1

linear = TopologicalSorter()
linear.add(3, 2)
linear.add(2, 1)
linear.add(4, 3)
print(list(linear.static_order()))

cyclic = TopologicalSorter({"a": ["b"], "b": ["c"], "c": ["a"], "d": []})
try:
    cyclic.prepare()
except CycleError as e:
    print(e.args[0], len(e.args[1]), e.args[1][0] == e.args[1][-1], sorted(set(e.args[1])))

ts = TopologicalSorter({1: [0]})
for action in (lambda: ts.get_ready(), lambda: ts.prepare(), lambda: ts.done(1), lambda: ts.add(9), lambda: ts.done(77)):
    try:
        print("ok", action())
    except (ValueError, RuntimeError) as e:
        print(type(e).__name__, e)


def durations(graph, cost):
    finish = {}
    for node in TopologicalSorter(graph).static_order():
        finish[node] = cost[node] + max((finish[d] for d in graph.get(node, ())), default=0)
    return finish


cost = {n: len(n) for n in set(deps) | set().union(*deps.values())}
fin = durations(deps, cost)
for node in sorted(fin, key=lambda n: (fin[n], n)):
    print(f"{node:10} done at {fin[node]}")
