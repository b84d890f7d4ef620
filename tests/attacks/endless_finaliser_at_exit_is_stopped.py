#: promise = "A finaliser of a global object that never returns does not outlive the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit", "completed"]
class Hostile:
    def __del__(self):
        while True:
            pass


hostile = Hostile()
