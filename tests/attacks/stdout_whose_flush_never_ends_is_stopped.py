#: promise = "A stdout object whose flush never returns is stopped at the deadline or ignored"
#: wall_clock_ms = 500
#: outcome = ["time_limit", "completed"]
import sys


class Hostile:
    def write(self, text):
        return len(text)

    def flush(self):
        while True:
            pass


sys.stdout = sys.stderr = Hostile()
