#: promise = "A hundred thousand writes of one byte each are taken in order, and bounded"
#: wall_clock_ms = 20000
#: output_bytes = 65536
#: outcome = ["completed"]
#: exit_code = 0
#: stdout_has = ["begin", "end"]
import os

for byte in b"begin":
    os.write(1, bytes([byte]))
for _ in range(100_000):
    assert os.write(1, b"x") == 1
for byte in b"end":
    os.write(1, bytes([byte]))
