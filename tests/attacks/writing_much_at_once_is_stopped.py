#: promise = "One large write to a stream is passed on in pieces, between which the deadline is kept"
#: wall_clock_ms = 500
#: memory_mb = 512
#: outcome = ["time_limit"]
import os

block = bytes(100 << 20)
while True:
    os.writev(1, [block] * 1000)
