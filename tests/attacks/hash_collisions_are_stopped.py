#: promise = "A set in which everything collides is stopped at the deadline"
#: wall_clock_ms = 600
#: outcome = ["time_limit"]
class Same:
    def __hash__(self):
        return 1


hoard = set()
while True:
    hoard.add(Same())
