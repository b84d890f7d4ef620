"""Chaos game: a fractal drawn by jumping along random transforms of B-splines."""

from math import sqrt

WIDTH = HEIGHT = 200
ITERATIONS = 32000


class Random:
    """A small multiplicative generator, so that every run draws the same points."""

    def __init__(self, seed):
        self.state = seed

    def random(self):
        self.state = self.state * 48271 % 0x7FFFFFFF
        return self.state / 0x7FFFFFFF

    def below(self, n):
        self.state = self.state * 48271 % 0x7FFFFFFF
        return (self.state >> 4) % n


class Vector:
    def __init__(self, x, y, z=0.0):
        self.x = x
        self.y = y
        self.z = z

    def magnitude(self):
        return sqrt(self.x * self.x + self.y * self.y + self.z * self.z)

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def lerp(self, other, t):
        """The point t of the way from here to there."""
        s = 1.0 - t
        return Vector(
            self.x * s + other.x * t,
            self.y * s + other.y * t,
            self.z * s + other.z * t,
        )


class Spline:
    """A B-spline over control points, evaluated by de Boor's recurrence."""

    def __init__(self, points, degree, knots):
        if len(knots) != len(points) + degree - 1:
            raise ValueError("wrong number of knots")
        self.points = points
        self.degree = degree
        self.knots = knots

    def domain(self):
        return self.knots[self.degree - 1], self.knots[len(self.knots) - self.degree]

    def interval(self, u):
        for i in range(self.degree - 1, len(self.knots) - self.degree):
            if self.knots[i] <= u < self.knots[i + 1]:
                return i
        return len(self.knots) - self.degree - 1

    def __call__(self, u):
        low, high = self.domain()
        if u >= high:
            return self.points[-1]
        span = self.interval(u)
        degree, knots = self.degree, self.knots
        first = span - degree + 1
        work = [self.points[first + i] for i in range(degree + 1)]
        for level in range(1, degree + 1):
            for i in range(degree + 1 - level):
                left = knots[first + level - 1 + i]
                right = knots[span + 1 + i]
                t = (u - left) / (right - left)
                work[i] = work[i].lerp(work[i + 1], t)
        return work[0]


class Game:
    def __init__(self, splines, thickness):
        self.splines = splines
        self.thickness = thickness
        xs, ys = [], []
        for spline in splines:
            for p in spline.points:
                xs.append(p.x)
                ys.append(p.y)
        self.min_x, self.max_x = min(xs), max(xs)
        self.min_y, self.max_y = min(ys), max(ys)
        self.width = self.max_x - self.min_x
        self.height = self.max_y - self.min_y
        # A spline is chosen as often as its share of the whole length.
        self.weights = []
        for spline in splines:
            self.weights.append(self.length_of(spline))
        self.total = sum(self.weights)

    @staticmethod
    def length_of(spline, pieces=200):
        low, high = spline.domain()
        step = (high - low) / pieces
        length = 0.0
        last = spline(low)
        for i in range(1, pieces + 1):
            here = spline(low + step * i)
            length += (here - last).magnitude()
            last = here
        return length

    def choose(self, rng):
        pick = rng.random() * self.total
        for i, weight in enumerate(self.weights):
            if pick < weight:
                return i
            pick -= weight
        return len(self.weights) - 1

    def jump(self, point, rng):
        spline = self.splines[self.choose(rng)]
        x = (point.x - self.min_x) / self.width
        y = (point.y - self.min_y) / self.height
        low, high = spline.domain()
        u = low + (high - low) * x
        base = spline(u)
        if u + 1.0 / 50000 < high:
            ahead = spline(u + 1.0 / 50000)
            along = ahead - base
        else:
            behind = spline(u - 1.0 / 50000)
            along = base - behind
        size = along.magnitude()
        offset = (y - 0.5) * self.thickness
        if size != 0.0:
            moved = base + Vector(along.y / size * offset, -along.x / size * offset)
        else:
            moved = base + Vector(0.0, offset)
        return self.clamp(moved)

    def clamp(self, p):
        p.x = min(max(p.x, self.min_x), self.max_x)
        p.y = min(max(p.y, self.min_y), self.max_y)
        return p

    def play(self, width, height, iterations, rng):
        image = [[0] * height for _ in range(width)]
        point = Vector((self.min_x + self.max_x) / 2, (self.min_y + self.max_y) / 2)
        for _ in range(iterations):
            point = self.jump(point, rng)
            x = int((point.x - self.min_x) / self.width * width)
            y = int((point.y - self.min_y) / self.height * height)
            image[min(x, width - 1)][min(y, height - 1)] = 1
        return image


def make_splines():
    knots = [0, 0, 0, 1, 1, 1]
    return [
        Spline(
            [Vector(1.6, 0.3), Vector(1.7, 0.5), Vector(1.4, 1.4), Vector(0.3, 1.7)],
            3,
            knots,
        ),
        Spline(
            [Vector(2.8, 1.6), Vector(1.5, 0.4), Vector(2.9, 0.2), Vector(2.1, 2.3)],
            3,
            knots,
        ),
        Spline(
            [
                Vector(0.2, 2.6),
                Vector(0.9, 0.1),
                Vector(1.1, 2.9),
                Vector(2.0, 1.1),
                Vector(2.7, 2.7),
            ],
            3,
            [0, 0, 0, 0.5, 1, 1, 1],
        ),
    ]


def bench() -> object:
    game = Game(make_splines(), 0.25)
    image = game.play(WIDTH, HEIGHT, ITERATIONS, Random(1234))
    lit = sum(map(sum, image))
    weighted = 0
    for x, column in enumerate(image):
        for y, cell in enumerate(column):
            if cell:
                weighted += x * 31 + y * 17
    return lit, weighted


if __name__ == "__main__":
    print(bench())
