import os
import errno

fd = os.open("data.bin", os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
print(os.write(fd, b"hello world"), os.lseek(fd, 0, os.SEEK_CUR), os.lseek(fd, 6, os.SEEK_SET), os.read(fd, 3))
print(os.pread(fd, 4, 1), os.pwrite(fd, b"HE", 0), os.fstat(fd).st_size)
os.ftruncate(fd, 5)
os.fsync(fd)
os.lseek(fd, 0, 0)
print(os.read(fd, 99), os.read(fd, 99), os.isatty(fd))
os.close(fd)
for label, fn in {
    "read closed": lambda: os.read(fd, 1),
    "close twice": lambda: os.close(fd),
    "excl": lambda: os.open("data.bin", os.O_CREAT | os.O_EXCL | os.O_WRONLY),
    "missing": lambda: os.open("missing", os.O_RDONLY),
    "directory": lambda: os.open(".", os.O_WRONLY),
    "bad seek": lambda: os.lseek(0x7FFF, 0, 0),
}.items():
    try:
        fn()
        print(label, "ok")
    except OSError as e:
        print(label, type(e).__name__, errno.errorcode[e.errno], e.strerror)

fd = os.open("log.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
for i in range(3):
    os.write(fd, f"entry {i}\n".encode())
os.close(fd)
print(open("log.txt").read().split("\n"))
fd = os.open("data.bin", os.O_RDONLY)
try:
    os.write(fd, b"x")
except OSError as e:
    print(errno.errorcode[e.errno])
with os.fdopen(fd, "rb") as fh:
    print(fh.read(), fh.fileno() == fd)
with open("log.txt", "r+") as fh:
    print(fh.fileno() > 2, os.read(fh.fileno(), 5))
a = os.open("data.bin", os.O_RDONLY)
b = os.dup(a)
os.close(a)
print(os.read(b, 2), os.writev(1, [b""]) if hasattr(os, "writev") else 0)
os.close(b)
