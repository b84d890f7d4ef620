#: promise = "An in-memory file that grows for ever ends in MemoryError, or the job is stopped for its memory"
#: wall_clock_ms = 20000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import io


def grow(buffer, piece):
    while True:
        buffer.write(piece)


for buffer, piece in ((io.BytesIO(), b"x" * 2**20), (io.StringIO(), "x" * 2**20)):
    try:
        grow(buffer, piece)
    except (MemoryError, OverflowError):
        buffer.close()
print("ok")
