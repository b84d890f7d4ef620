from enum import Enum, Flag, auto


class Light(Enum):
    RED = ("stop", 30)
    GREEN = ("go", 25)
    YELLOW = ("slow down", 5)

    def __init__(self, action, seconds):
        self.action = action
        self.seconds = seconds

    def next(self):
        order = list(Light)
        return order[(order.index(self) + 1) % len(order)]


class Sensor(Flag):
    NONE = 0
    CAR_WAITING = auto()
    PEDESTRIAN = auto()
    EMERGENCY = auto()


def green_time(sensors):
    if Sensor.EMERGENCY in sensors:
        return 60
    seconds = Light.GREEN.seconds
    if sensors & Sensor.CAR_WAITING:
        seconds += 10
    if sensors & Sensor.PEDESTRIAN:
        seconds -= 5
    return seconds


clock, light = 0, Light.RED
readings = iter([Sensor.CAR_WAITING, Sensor.PEDESTRIAN | Sensor.CAR_WAITING, Sensor.NONE, Sensor.EMERGENCY])
while clock < 240:
    seconds, note = light.seconds, ""
    if light is Light.GREEN:
        sensors = next(readings, Sensor.NONE)
        seconds, note = green_time(sensors), f" {sensors!r}"
    print(f"{clock // 60}:{clock % 60:02} {light.name:<7}{light.action:<10}{seconds:>3} s{note}")
    clock, light = clock + seconds, light.next()
print(Light["RED"].value, Light.GREEN in Light, [member.name for member in Sensor])
