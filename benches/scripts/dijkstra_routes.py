import heapq

ROADS = {
    ("Oslo", "Bergen"): 463, ("Oslo", "Trondheim"): 494, ("Bergen", "Stavanger"): 209,
    ("Oslo", "Kristiansand"): 320, ("Kristiansand", "Stavanger"): 234, ("Trondheim", "Bodo"): 706,
    ("Bodo", "Narvik"): 301, ("Narvik", "Tromso"): 231, ("Oslo", "Hamar"): 127, ("Hamar", "Trondheim"): 370,
}


def build_graph(roads):
    graph = {}
    for (a, b), distance in roads.items():
        graph.setdefault(a, {})[b] = distance
        graph.setdefault(b, {})[a] = distance
    return graph


def shortest_paths(graph, start):
    distances, previous = {start: 0}, {}
    queue = [(0, start)]
    while queue:
        distance, city = heapq.heappop(queue)
        if distance > distances[city]:
            continue
        for neighbour, length in graph[city].items():
            candidate = distance + length
            if candidate < distances.get(neighbour, float("inf")):
                distances[neighbour], previous[neighbour] = candidate, city
                heapq.heappush(queue, (candidate, neighbour))
    return distances, previous


def route(previous, target):
    path = [target]
    while path[-1] in previous:
        path.append(previous[path[-1]])
    return path[::-1]


graph = build_graph(ROADS)
distances, previous = shortest_paths(graph, "Stavanger")
for city, distance in sorted(distances.items(), key=lambda item: item[1]):
    print(f"{distance:>5} km  {' -> '.join(route(previous, city))}")
