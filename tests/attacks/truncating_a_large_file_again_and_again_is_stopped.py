#: promise = "Time spent in the host giving back disk counts as well"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]

block = b"x" * (48 << 20)
while True:
    with open("big", "wb", buffering=0) as f:
        f.write(block)
