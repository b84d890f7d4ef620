#: promise = "A sort whose key function never returns is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
def key(value):
    while True:
        value += 1


sorted(range(10), key=key)
