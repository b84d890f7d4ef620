#: promise = "A search through itertools.repeat, which runs no bytecode at all, is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
import itertools

print(0 in itertools.repeat(1))
