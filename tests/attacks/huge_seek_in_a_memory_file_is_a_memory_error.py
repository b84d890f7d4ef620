#: promise = "Writing far behind the end of an in-memory file raises a Python exception"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import io

for position in (2**30, 2**31 - 10, 2**31, 2**40, 2**62):
    for buffer, piece in ((io.BytesIO(), b"x"), (io.StringIO(), "x")):
        try:
            buffer.seek(position)
            buffer.write(piece)
        except (MemoryError, OverflowError):
            continue
        raise AssertionError(f"a write at {position} was allowed")
print("ok")
