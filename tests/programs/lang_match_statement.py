from dataclasses import dataclass
from enum import Enum


class Op(Enum):
    ADD = "+"
    NEG = "neg"


@dataclass
class Num:
    value: float


@dataclass
class Bin:
    op: str
    left: object
    right: object


class Range:
    __match_args__ = ("lo", "hi")

    def __init__(self, lo, hi):
        self.lo, self.hi = lo, hi


def describe(x):
    match x:
        case None | False:
            return "nothing"
        case True:
            return "true"
        case int(n) if n < 0:
            return f"negative {n}"
        case int() | float() as n:
            return f"number {n}"
        case "" | b"":
            return "empty"
        case str(s):
            return f"string {s!r}"
        case []:
            return "empty list"
        case [x]:
            return f"one: {describe(x)}"
        case [first, *_, last] if first == last:
            return f"same ends {first}"
        case (a, b, *rest):
            return f"seq {a},{b} rest={rest}"
        case {"type": "point", "x": x, "y": y, **rest}:
            return f"point {x},{y} extra={rest}"
        case {"op": Op.ADD | Op.NEG as op}:
            return f"op {op.name}"
        case Range(lo, hi=10):
            return f"range {lo}..10"
        case Bin("*", Num(0), _) | Bin("*", _, Num(0)):
            return "zero product"
        case Bin(op, Num(value=l), Num(r)):
            return f"{l}{op}{r}"
        case object(__class__=cls):
            return f"other {cls.__name__}"


for v in (None, True, -3, 2.5, "", "hi", [], [[]], (1, 2, 1), [1, 2, 3, 4], range(3), {"type": "point", "x": 1, "y": 2, "z": 3},
          {"op": Op.NEG}, Range(1, 10), Range(1, 9), Bin("*", Num(5), Num(0)), Bin("+", Num(1), Num(2)), {1, 2}, bytearray(b"ab")):
    print(describe(v))


def evaluate(tokens):
    match tokens.split():
        case [n]:
            return float(n)
        case [a, "+" | "-" as op, *rest]:
            right = evaluate(" ".join(rest))
            return float(a) + right if op == "+" else float(a) - right
        case _:
            raise ValueError(tokens)


print(evaluate("1 + 2 - 3 + 4"))
