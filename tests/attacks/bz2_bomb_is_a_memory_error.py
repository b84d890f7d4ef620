#: promise = "A bzip2 block that unpacks to more than the memory raises MemoryError"
#: wall_clock_ms = 60000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import bz2

bomb = bz2.compress(bytes(20 * 2**20)) * 20
assert len(bomb) < 2**20, len(bomb)
try:
    bz2.decompress(bomb)
except MemoryError:
    print("ok")
