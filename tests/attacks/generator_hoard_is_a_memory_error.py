#: promise = "An endless number of suspended generators ends in MemoryError, or the job is stopped for its memory"
#: wall_clock_ms = 30000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
def suspended(data):
    yield data
    yield data


def grow():
    hoard = []
    while True:
        generator = suspended(bytes(10_000))
        next(generator)
        hoard.append(generator)


try:
    grow()
except MemoryError:
    print("ok")
