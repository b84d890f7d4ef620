#: promise = "Calls on descriptors the job never opened fail cleanly and give no way out"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

strange = [*range(3, 200), 1000, 65535, 2**20, 2**31 - 1, 2**31, 2**32, -1, -2, -100, -(2**31)]
for descriptor in strange:
    for use in (
        lambda: os.read(descriptor, 100),
        lambda: os.write(descriptor, b"x"),
        lambda: os.pwrite(descriptor, b"x", 2**40),
        lambda: os.ftruncate(descriptor, 0),
        lambda: os.lseek(descriptor, -1, 0),
        lambda: os.fsync(descriptor),
        lambda: os.set_blocking(descriptor, False),
        lambda: os.isatty(descriptor) and 1 / 0,
        lambda: os.fstat(descriptor) and None,
        lambda: os.listdir(descriptor) and None,
        lambda: os.close(descriptor) if descriptor > 300 or descriptor < 0 else None,
    ):
        try:
            use()
        except (OSError, OverflowError, ValueError, AttributeError, TypeError):
            pass
print("ok")
