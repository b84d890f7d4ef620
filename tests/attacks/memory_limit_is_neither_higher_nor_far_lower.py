#: promise = "A job gets most of its memory and never more than its memory"
#: memory_mb = 256
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
blocks = []
try:
    while True:
        blocks.append(bytearray(2**20))
except MemoryError:
    got = len(blocks)
    blocks.clear()
assert 128 <= got <= 256, f"{got} MB of 256"
print("ok")
