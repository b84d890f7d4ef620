#: promise = "A loop of copies as large as the memory allows is stopped at the deadline"
#: wall_clock_ms = 1000
#: memory_mb = 512
#: outcome = ["time_limit"]
block = bytearray(200 * 2**20)
while True:
    block[:] = block
