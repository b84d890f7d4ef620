#: promise = "Asking for more memory than there is, in one piece, raises a Python exception"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import array

for size in (2**28, 2**30, 2**31 - 1, 2**31, 2**32, 2**32 + 1, 10**10, 2**62, 2**63, 2**64):
    for make in (
        lambda: bytearray(size),
        lambda: bytes(size),
        lambda: "a" * size,
        lambda: "é€" * size,
        lambda: [None] * size,
        lambda: (None,) * size,
        lambda: array.array("b", [0]) * size,
        lambda: "".ljust(size),
        lambda: format("", f"{size}s"),
        lambda: b"".zfill(size),
    ):
        try:
            make()
        except (MemoryError, OverflowError, ValueError):
            continue
        raise AssertionError(f"{size} was allowed")
print("ok")
