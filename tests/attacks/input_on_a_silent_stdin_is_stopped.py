#: promise = "input() on a standard input that says nothing is stopped at the deadline"
#: wall_clock_ms = 400
#: stdin_open = true
#: outcome = ["time_limit"]
while True:
    input()
