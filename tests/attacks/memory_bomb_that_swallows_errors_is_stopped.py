#: promise = "A job that fills its memory and ignores every MemoryError is stopped at the deadline"
#: wall_clock_ms = 1500
#: outcome = ["time_limit", "memory_limit"]
hoard = []
size = 2**24
while True:
    try:
        hoard.append(bytearray(size))
    except BaseException:
        size = max(size // 2, 1)
