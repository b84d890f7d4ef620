#: promise = "A finaliser that never returns is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
#: stdout_has = ["before"]
class Hostile:
    def __del__(self):
        while True:
            pass


print("before")
Hostile()
