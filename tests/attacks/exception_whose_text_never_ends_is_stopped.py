#: promise = "An exception whose str never returns is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
#: stdout_has = ["before"]
class Hostile(Exception):
    def __str__(self):
        while True:
            pass


print("before")
raise Hostile
