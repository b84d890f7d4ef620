#: promise = "A search through itertools.count is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
import itertools

print(-1 in itertools.count(1))
