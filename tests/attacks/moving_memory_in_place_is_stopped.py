#: promise = "A loop that shifts one huge block inside itself is stopped at the deadline"
#: wall_clock_ms = 1000
#: outcome = ["time_limit"]
block = bytearray(200 * 2**20)
view = memoryview(block)
while True:
    view[1:] = view[:-1]
