"""Float-heavy objects: build, normalise and fold many three-dimensional points."""

from math import cos, sin, sqrt

POINTS = 100000
ROUNDS = 4


class Point:
    __slots__ = ("x", "y", "z")

    def __init__(self, i):
        s = sin(i)
        self.x = s
        self.y = cos(i) * 3
        self.z = (s * s) / 2

    def normalize(self):
        x, y, z = self.x, self.y, self.z
        norm = sqrt(x * x + y * y + z * z)
        self.x = x / norm
        self.y = y / norm
        self.z = z / norm

    def maximize(self, other):
        if other.x > self.x:
            self.x = other.x
        if other.y > self.y:
            self.y = other.y
        if other.z > self.z:
            self.z = other.z
        return self


def largest(points):
    result = points[0]
    for p in points[1:]:
        result = result.maximize(p)
    return result


def bench() -> object:
    top = None
    for _ in range(ROUNDS):
        points = [Point(i) for i in range(POINTS)]
        for p in points:
            p.normalize()
        top = largest(points)
    return round(top.x, 6), round(top.y, 6), round(top.z, 6)


if __name__ == "__main__":
    print(bench())
