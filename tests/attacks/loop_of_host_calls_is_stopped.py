#: promise = "A loop that spends its life in file system calls is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import os

while True:
    os.stat(".")
    os.listdir(".")
