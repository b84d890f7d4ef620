#: promise = "Catastrophic backtracking in a regular expression is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import re

print(re.match(r"(a+)+$", "a" * 60 + "b"))
