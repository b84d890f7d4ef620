import math
from abc import ABC, abstractmethod


class Shape(ABC):
    @abstractmethod
    def area(self) -> float: ...

    def __str__(self):
        return f"{type(self).__name__:<10} area={self.area():8.2f}"


class Circle(Shape):
    def __init__(self, radius):
        self.radius = radius

    def area(self):
        return math.pi * self.radius**2


class Rectangle(Shape):
    def __init__(self, width, height):
        self.width, self.height = width, height

    def area(self):
        return self.width * self.height


class Square(Rectangle):
    def __init__(self, side):
        super().__init__(side, side)


shapes = [Circle(2.5), Rectangle(3, 7.2), Square(4), Circle(1)]
for shape in sorted(shapes, key=lambda shape: shape.area()):
    print(shape)
print(f"Total area: {sum(shape.area() for shape in shapes):.3f}")
try:
    Shape()
except TypeError as error:
    print("Cannot create Shape:", str(error).split(" with")[0])
