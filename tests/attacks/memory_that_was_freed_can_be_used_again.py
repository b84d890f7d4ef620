#: promise = "A job may allocate far more than its limit over its life, if it frees in between"
#: wall_clock_ms = 20000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
for round in range(40):
    block = bytearray(120 * 2**20)
    block[-1] = round
    del block
    pieces = [bytes(1000) for _ in range(50_000)]
    del pieces
print("ok")
