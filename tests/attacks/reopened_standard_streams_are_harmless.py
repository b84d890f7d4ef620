#: promise = "Descriptors 0, 1 and 2 wrapped again, closed twice and read backwards do no harm"
#: outcome = ["completed"]
#: stdout_has = ["before"]
import os
import sys

print("before", flush=True)
for use in (
    lambda: os.read(1, 10),
    lambda: os.write(0, b"x"),
    lambda: os.lseek(1, 10**9, 0),
    lambda: os.ftruncate(1, 10**9),
    lambda: os.pwrite(1, b"x", 2**40),
    lambda: open(1, "w", closefd=False).write("again"),
    lambda: open(0, "r", closefd=True).close(),
    lambda: os.close(0),
    lambda: sys.__stdin__.read(),
):
    try:
        use()
    except (OSError, ValueError, AttributeError):
        pass
