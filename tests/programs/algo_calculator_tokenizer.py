import math
import re
from typing import NamedTuple


class CalcError(Exception): ...


class Token(NamedTuple):
    kind: str
    text: str
    pos: int


SPEC = [("NUM", r"\d+(\.\d*)?([eE][+-]?\d+)?"), ("NAME", r"[A-Za-z_]\w*"), ("OP", r"\*\*|[-+*/%^(),=]"), ("WS", r"\s+"), ("BAD", r".")]
RX = re.compile("|".join(f"(?P<{k}>{p})" for k, p in SPEC))


def lex(text):
    for m in RX.finditer(text):
        if m.lastgroup == "BAD":
            raise CalcError(f"unexpected {m.group()!r} at {m.start()}")
        if m.lastgroup != "WS":
            yield Token(m.lastgroup, m.group(), m.start())
    yield Token("END", "", len(text))


class Parser:
    BINARY = {"+": (1, float.__add__), "-": (1, float.__sub__), "*": (2, float.__mul__), "/": (2, float.__truediv__), "%": (2, float.__mod__), "**": (4, float.__pow__), "^": (4, float.__pow__)}
    FUNCS = {"sqrt": math.sqrt, "max": max, "min": min, "abs": abs}

    def __init__(self, env):
        self.env = env

    def run(self, text):
        self.toks = list(lex(text))
        self.i = 0
        if len(self.toks) > 2 and self.toks[0].kind == "NAME" and self.toks[1].text == "=":
            self.i = 2
            value = self.env[self.toks[0].text] = self.expr(0)
        else:
            value = self.expr(0)
        if self.peek.kind != "END":
            raise CalcError(f"trailing {self.peek.text!r}")
        return value

    peek = property(lambda self: self.toks[self.i])

    def take(self, text=None):
        tok = self.peek
        if text and tok.text != text:
            raise CalcError(f"expected {text!r} at {tok.pos}")
        self.i += 1
        return tok

    def expr(self, level):
        left = self.atom()
        while self.peek.text in self.BINARY and (prec := self.BINARY[self.peek.text][0]) > level:
            op = self.take().text
            right = self.expr(prec - 1 if op in ("**", "^") else prec)
            left = self.BINARY[op][1](left, right)
        return left

    def atom(self):
        tok = self.take()
        match tok:
            case Token("NUM", text):
                return float(text)
            case Token("OP", "-"):
                return -self.expr(3)
            case Token("OP", "("):
                return (self.expr(0), self.take(")"))[0]
            case Token("NAME", name) if self.peek.text == "(":
                args = []
                while self.peek.text in "(,":
                    self.take()
                    args.append(self.expr(0))
                self.take(")")
                return float(self.FUNCS[name](*args))
            case Token("NAME", name):
                return self.env[name]
        raise CalcError(f"unexpected {tok.text or 'end'!r} at {tok.pos}")


p = Parser({"pi": 3.14})
for line in ("1 + 2 * 3", "(1 + 2) * 3", "2 ** 3 ^ 2", "-2 ** 2", "x = 10 / 4", "x * pi", "max(1, x, sqrt(16)) % 3", "1 /", "2 $ 3", "(1", "1 2", "y + 1", "1 / 0", "1.5e3 - .5"):
    try:
        print(f"{line:26} = {p.run(line)}")
    except (CalcError, KeyError, ZeroDivisionError) as e:
        print(f"{line:26} ! {type(e).__name__}: {e}")
