#: promise = "A pure Python loop that never ends is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
while True:
    pass
