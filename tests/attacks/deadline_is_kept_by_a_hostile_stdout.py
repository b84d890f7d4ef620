#: promise = "A stdout whose flush never returns cannot delay the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import sys


class Hostile:
    encoding = "utf-8"

    def write(self, text):
        while True:
            pass

    def flush(self):
        while True:
            pass


sys.stdout = sys.__stdout__ = sys.stderr = sys.__stderr__ = Hostile()
while True:
    pass
