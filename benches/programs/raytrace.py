"""Ray tracing of reflecting spheres above a chequered floor, with shadows."""

from math import sqrt

WIDTH = 130
HEIGHT = 100
DEPTH = 3
EPSILON = 0.00001


class Vector:
    __slots__ = ("x", "y", "z")

    def __init__(self, x, y, z):
        self.x = x
        self.y = y
        self.z = z

    def __add__(self, other):
        return Vector(self.x + other.x, self.y + other.y, self.z + other.z)

    def __sub__(self, other):
        return Vector(self.x - other.x, self.y - other.y, self.z - other.z)

    def __neg__(self):
        return Vector(-self.x, -self.y, -self.z)

    def scale(self, k):
        return Vector(self.x * k, self.y * k, self.z * k)

    def dot(self, other):
        return self.x * other.x + self.y * other.y + self.z * other.z

    def cross(self, other):
        return Vector(
            self.y * other.z - self.z * other.y,
            self.z * other.x - self.x * other.z,
            self.x * other.y - self.y * other.x,
        )

    def length(self):
        return sqrt(self.dot(self))

    def normalized(self):
        return self.scale(1.0 / self.length())

    def reflect(self, normal):
        return self - normal.scale(2 * self.dot(normal))


class Ray:
    __slots__ = ("origin", "direction")

    def __init__(self, origin, direction):
        self.origin = origin
        self.direction = direction.normalized()

    def at(self, t):
        return self.origin + self.direction.scale(t)


class Surface:
    def __init__(self, colour, ambient=0.2, diffuse=0.6, mirror=0.2):
        self.colour = colour
        self.ambient = ambient
        self.diffuse = diffuse
        self.mirror = mirror

    def base_colour(self, point):
        return self.colour


class Chequered(Surface):
    def __init__(self, colour, other, size=1.0, **kwargs):
        super().__init__(colour, **kwargs)
        self.other = other
        self.size = size

    def base_colour(self, point):
        cells = int(point.x / self.size + 1000) + int(point.z / self.size + 1000)
        return self.other if cells & 1 else self.colour


class Sphere:
    def __init__(self, centre, radius, surface):
        self.centre = centre
        self.radius = radius
        self.surface = surface

    def hit(self, ray):
        to_centre = self.centre - ray.origin
        along = to_centre.dot(ray.direction)
        inside = self.radius * self.radius - (to_centre.dot(to_centre) - along * along)
        if inside < 0:
            return None
        half = sqrt(inside)
        near = along - half
        if near > EPSILON:
            return near
        far = along + half
        return far if far > EPSILON else None

    def normal_at(self, point):
        return (point - self.centre).normalized()


class Floor:
    """A level plane through a given height."""

    UP = Vector(0.0, 1.0, 0.0)

    def __init__(self, height, surface):
        self.height = height
        self.surface = surface

    def hit(self, ray):
        dy = ray.direction.y
        if -EPSILON < dy < EPSILON:
            return None
        t = (self.height - ray.origin.y) / dy
        return t if t > EPSILON else None

    def normal_at(self, point):
        return self.UP


class Scene:
    def __init__(self):
        self.shapes = []
        self.lights = []
        self.eye = Vector(0.0, 1.8, 10.0)
        self.target = Vector(0.0, 0.6, 0.0)
        self.spread = 0.4  # half the field of view, as a slope

    def nearest(self, ray):
        best = None
        shape = None
        for candidate in self.shapes:
            t = candidate.hit(ray)
            if t is not None and (best is None or t < best):
                best = t
                shape = candidate
        return best, shape

    def in_shadow(self, point, light):
        to_light = light - point
        distance = to_light.length()
        ray = Ray(point, to_light)
        for shape in self.shapes:
            t = shape.hit(ray)
            if t is not None and t < distance:
                return True
        return False

    def trace(self, ray, depth):
        t, shape = self.nearest(ray)
        if shape is None:
            return (0.3, 0.4, 0.6 + 0.3 * max(ray.direction.y, 0.0))
        point = ray.at(t)
        normal = shape.normal_at(point)
        surface = shape.surface
        start = point + normal.scale(0.0001)
        light = surface.ambient
        for lamp in self.lights:
            facing = (lamp - point).normalized().dot(normal)
            if facing > 0 and not self.in_shadow(start, lamp):
                light += surface.diffuse * facing
        r, g, b = surface.base_colour(point)
        r, g, b = r * light, g * light, b * light
        if depth > 0 and surface.mirror > 0:
            bounce = Ray(start, ray.direction.reflect(normal))
            mr, mg, mb = self.trace(bounce, depth - 1)
            k = surface.mirror
            r, g, b = r + mr * k, g + mg * k, b + mb * k
        return r, g, b

    def render(self, width, height):
        forward = (self.target - self.eye).normalized()
        right = forward.cross(Floor.UP).normalized()
        up = right.cross(forward)
        pixels = bytearray()
        aspect = width / height
        for y in range(height):
            v = (1 - 2 * (y + 0.5) / height) * self.spread
            for x in range(width):
                u = (2 * (x + 0.5) / width - 1) * self.spread * aspect
                ray = Ray(self.eye, forward + right.scale(u) + up.scale(v))
                for channel in self.trace(ray, DEPTH):
                    pixels.append(int(min(max(channel, 0.0), 1.0) * 255))
        return pixels


def make_scene():
    scene = Scene()
    scene.lights.append(Vector(25.0, 30.0, 10.0))
    scene.lights.append(Vector(-10.0, 18.0, 14.0))
    scene.shapes.append(Sphere(Vector(1.0, 1.2, -3.0), 1.6, Surface((0.9, 0.8, 0.1))))
    for i in range(6):
        centre = Vector(-3.0 + i * 1.2, -0.3, 1.5 - 0.8 * (i % 3))
        colour = (i / 6.0, 1.0 - i / 6.0, 0.5)
        scene.shapes.append(Sphere(centre, 0.5, Surface(colour, mirror=0.3)))
    scene.shapes.append(Floor(-0.8, Chequered((1.0, 1.0, 1.0), (0.1, 0.1, 0.1), 1.5)))
    return scene


def bench() -> object:
    pixels = make_scene().render(WIDTH, HEIGHT)
    middle = 3 * (WIDTH * (HEIGHT // 2) + WIDTH // 2)
    return len(pixels), sum(pixels), tuple(pixels[middle : middle + 3])


if __name__ == "__main__":
    print(bench())
