#: promise = "A single call of the host moves little, so that the deadline is kept between two"
#: wall_clock_ms = 500
#: memory_mb = 512
#: outcome = ["time_limit"]
import os

buffer = bytearray(100 << 20)
file = os.open("/dev/urandom", os.O_RDONLY)
while True:
    os.readv(file, [buffer] * 1000)
