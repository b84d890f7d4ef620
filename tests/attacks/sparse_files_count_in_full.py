#: promise = "A file cannot be made larger than the disk by truncate, seek, pwrite or fallocate"
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

descriptor = os.open("sparse.bin", os.O_CREAT | os.O_RDWR)


def seek_and_write(size):
    os.lseek(descriptor, size, os.SEEK_SET)
    os.write(descriptor, b"x")


for size in (5 * 2**20, 2**31, 2**32 + 1, 10**12, 10**15, 2**62, 2**63 - 1):
    for grow in (
        lambda: os.ftruncate(descriptor, size),
        lambda: os.truncate("sparse.bin", size),
        lambda: os.pwrite(descriptor, b"x", size),
        lambda: os.posix_fallocate(descriptor, 0, size),
        lambda: seek_and_write(size),
    ):
        try:
            grow()
        except (OSError, OverflowError, AttributeError):
            pass
        reached = os.fstat(descriptor).st_size
        assert reached <= 4 * 2**20, f"{reached} bytes after asking for {size}"
print("ok")
