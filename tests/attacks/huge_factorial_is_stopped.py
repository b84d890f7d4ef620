#: promise = "math.factorial of a huge number is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import math

print(math.factorial(10**8).bit_length())
