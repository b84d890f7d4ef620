#: promise = "sys.exit with an object that cannot be printed exits with 1"
#: outcome = ["completed"]
#: exit_code = 1
#: stdout = "before\n"
import sys


class Hostile:
    def __str__(self):
        raise SystemExit(self)

    __repr__ = __str__


print("before")
sys.exit(Hostile())
