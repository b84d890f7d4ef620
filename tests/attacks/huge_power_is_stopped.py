#: promise = "One big-integer operation that takes minutes is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
exponent = 10**8
print((3**exponent).bit_length())
