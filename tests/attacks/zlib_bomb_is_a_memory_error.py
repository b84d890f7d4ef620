#: promise = "A small compressed block that unpacks to more than the memory raises MemoryError"
#: wall_clock_ms = 30000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import zlib

packer = zlib.compressobj(1)
zeros = bytes(2**20)
bomb = b"".join([packer.compress(zeros) for _ in range(400)] + [packer.flush()])
assert len(bomb) < 4 * 2**20, len(bomb)
try:
    zlib.decompress(bomb)
except MemoryError:
    print("ok")
