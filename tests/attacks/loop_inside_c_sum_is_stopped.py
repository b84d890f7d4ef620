#: promise = "A loop that runs inside one C call is stopped at the deadline"
#: wall_clock_ms = 400
#: outcome = ["time_limit"]
print(sum(range(10**12)))
