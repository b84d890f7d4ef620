#: promise = "A profile function that restarts itself for ever is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import sys


def profile(frame, event, argument):
    while True:
        len("")


sys.setprofile(profile)
len("")
