#: promise = "Raw writes to both streams for ever are stopped at the deadline, and bounded"
#: wall_clock_ms = 800
#: output_bytes = 65536
#: outcome = ["time_limit"]
#: stdout_has = ["begin"]
#: stderr_has = ["begin"]
import os

os.write(1, b"begin")
os.write(2, b"begin")
while True:
    os.write(1, bytes(100_000))
    os.write(2, b"\x1b[2J" * 1000)
