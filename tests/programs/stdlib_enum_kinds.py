from enum import Enum, IntEnum, StrEnum, Flag, IntFlag, auto, unique, member, nonmember, verify, CONTINUOUS, EnumCheck


class Color(Enum):
    RED = 1
    GREEN = 2
    CRIMSON = 1

    @classmethod
    def _missing_(cls, value):
        if isinstance(value, str):
            return cls[value.upper()]


class Planet(Enum):
    MERCURY = (3.303e23, 2.4397e6)
    EARTH = (5.976e24, 6.37814e6)

    def __init__(self, mass, radius):
        self.mass, self.radius = mass, radius

    @property
    def gravity(self):
        return 6.6743e-11 * self.mass / self.radius**2


class Perm(Flag):
    R = auto()
    W = auto()
    X = auto()
    RW = R | W


class Level(StrEnum):
    DEBUG = auto()
    WARN = "warning"


class Status(IntEnum):
    OK = 200
    NOT_FOUND = 404


print(list(Color), Color.CRIMSON, Color("green"), Color["RED"], Color.__members__)
for planet in Planet:
    print(planet.name, f"{planet.gravity:.3f}")
p = Perm.R | Perm.X
print(p, repr(p), Perm.W in p, ~p, list(p), Perm(3), Perm.RW & p, bool(Perm(0)), len(Perm.RW))
print(Level.DEBUG, repr(Level.WARN), Level("debug"), f"{Level.WARN:>10}", Level.WARN.upper())
print(Status.OK + 1, Status(404), repr(Status.NOT_FOUND), sorted(Status), Status.OK == 200, f"{Status.OK}")
for fn in (lambda: Color(9), lambda: Color.BLUE, lambda: Perm(64), lambda: setattr(Color, "RED", 5)):
    try:
        print(fn())
    except Exception as e:
        print(type(e).__name__, e)
try:
    @unique
    class Dup(Enum):
        A = 1
        B = 1
except ValueError as e:
    print(e)
Animal = Enum("Animal", "CAT DOG", start=10)
print(list(Animal), {Color.RED: "stop"}[Color.CRIMSON], type(Color.RED).__mro__[1])
