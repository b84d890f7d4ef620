#: promise = "Lists of lists of lists, multiplied, end in MemoryError, or the job is stopped for its memory"
#: wall_clock_ms = 20000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
def grow():
    hoard = []
    while True:
        hoard.append([0] * 100_000)


try:
    grow()
except MemoryError:
    print("ok")
