#: promise = "Reading standard input to its end, when it has none, is stopped at the deadline"
#: wall_clock_ms = 400
#: stdin_open = true
#: outcome = ["time_limit", "memory_limit"]
import sys

sys.stdin.read()
