#: promise = "Time spent in the host writing counts as well"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]

block = b"x" * (48 << 20)
with open("big", "wb", buffering=0) as f:
    while True:
        f.seek(0)
        f.write(block)
