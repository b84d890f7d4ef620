#: promise = "A growing bytearray ends in MemoryError, or the job is stopped for its memory"
#: wall_clock_ms = 20000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
def grow():
    block = bytearray()
    while True:
        block += bytes(2**20)


try:
    grow()
except MemoryError:
    print("ok")
