#: promise = "A loop that opens, writes, closes and deletes files is stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import os

while True:
    with open("again.txt", "w") as file:
        file.write("x" * 1000)
    os.remove("again.txt")
