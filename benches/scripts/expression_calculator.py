import re

TOKEN = re.compile(r"\s*(?:(\d+\.?\d*)|(.))")


class Parser:
    def __init__(self, text):
        self.tokens = iter([float(number) if number else symbol for number, symbol in TOKEN.findall(text)])
        self.current = next(self.tokens)

    def take(self):
        token, self.current = self.current, next(self.tokens, None)
        return token

    def expression(self):
        value = self.term()
        while self.current in ("+", "-"):
            value = value + self.term() if self.take() == "+" else value - self.term()
        return value

    def term(self):
        value = self.factor()
        while self.current in ("*", "/"):
            value = value * self.factor() if self.take() == "*" else value / self.factor()
        return value

    def factor(self):
        token = self.take()
        if token == "-":
            return -self.factor()
        if token == "(":
            value = self.expression()
            self.take()
        elif not isinstance(value := token, float):
            raise SyntaxError(f"unexpected {token!r}")
        return value ** self.factor() if self.current == "^" and self.take() else value


for text in ("1 + 2 * 3", "(1 + 2) * 3", "-2 ^ 2", "2 ^ 3 ^ 2", "10 / 4 - 1", "7 / (3 - 3)", "2 * (3 + ", "4 $ 4", "1.5 * -2"):
    try:
        parser = Parser(text)
        print(f"{text} = {parser.expression():g}" + (f" (rest: {parser.current})" if parser.current else ""))
    except (SyntaxError, ZeroDivisionError) as error:
        print(f"{text}: {type(error).__name__}: {error}")
