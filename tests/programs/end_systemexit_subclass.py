import sys


class Quit(SystemExit):
    def __init__(self, reason, code):
        super().__init__(code)
        self.reason = reason


class App:
    def __init__(self):
        self.handlers = {"ok": lambda: "fine", "die": self.die}

    def die(self):
        raise Quit("requested", 42)

    def run(self, *commands):
        for c in commands:
            try:
                print(c, "->", self.handlers[c]())
            except KeyError as e:
                print("unknown", e)
            except Quit as q:
                print("quitting because", q.reason, q.code)
                raise


App().run("ok", "nope", "die", "ok")
