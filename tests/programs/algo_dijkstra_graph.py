import heapq
from collections import defaultdict, deque

EDGES = """
A B 4
A C 2
C B 1
B D 5
C D 8
C E 10
D E 2
D F 6
E F 3
G H 1
"""


def build(text, directed=False):
    graph = defaultdict(dict)
    for line in text.split("\n"):
        if line.strip():
            a, b, w = line.split()
            graph[a][b] = int(w)
            if not directed:
                graph[b][a] = int(w)
    return graph


def dijkstra(graph, start):
    dist, prev, heap = {start: 0}, {}, [(0, start)]
    while heap:
        d, node = heapq.heappop(heap)
        if d > dist[node]:
            continue
        for nxt, w in sorted(graph[node].items()):
            if d + w < dist.get(nxt, float("inf")):
                dist[nxt], prev[nxt] = d + w, node
                heapq.heappush(heap, (d + w, nxt))
    return dist, prev


def path(prev, end):
    out = [end]
    while out[-1] in prev:
        out.append(prev[out[-1]])
    return out[::-1]


def components(graph):
    seen = set()
    for n in sorted(graph):
        if n not in seen:
            comp, q = [], deque([n])
            seen.add(n)
            while q:
                cur = q.popleft()
                comp.append(cur)
                for m in sorted(graph[cur]):
                    if m not in seen:
                        seen.add(m)
                        q.append(m)
            yield comp


def kruskal(graph):
    parent = {n: n for n in graph}

    def find(x):
        while parent[x] != x:
            parent[x] = x = parent[parent[x]]
        return x

    for w, a, b in sorted((w, a, b) for a in graph for b, w in graph[a].items() if a < b):
        if find(a) != find(b):
            parent[find(a)] = find(b)
            yield a, b, w


g = build(EDGES)
dist, prev = dijkstra(g, "A")
for node in sorted(dist):
    print(f"A -> {node}: {dist[node]:2}  via {'-'.join(path(prev, node))}")
print("unreachable:", sorted(set(g) - set(dist)))
print(list(components(g)))
mst = list(kruskal(g))
print(mst, sum(w for *_, w in mst))
