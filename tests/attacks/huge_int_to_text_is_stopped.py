#: promise = "Converting huge integers to text with the digit limit switched off is stopped at the deadline"
#: wall_clock_ms = 800
#: outcome = ["time_limit"]
import sys

sys.set_int_max_str_digits(0)
number = 1 << 2 * 10**7
while True:
    str(number)
