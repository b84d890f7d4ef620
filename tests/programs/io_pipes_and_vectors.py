"""Pipes inside one process, vectored and positioned input and output, locks and allocation."""
import errno
import fcntl
import io
import os
import select

r, w = os.pipe()
print(os.write(w, b"one\ntwo\n"), os.read(r, 4), os.read(r, 100))
print(select.select([r], [w], [], 0)[0] == [], select.select([r], [w], [], 0)[1] == [w])
os.write(w, b"x")
print(select.select([r], [], [], 5)[0] == [r], os.get_blocking(r))
os.set_blocking(r, False)
print(os.get_blocking(r), os.read(r, 10))
try:
    os.read(r, 1)
except BlockingIOError as error:
    print(error.errno == errno.EAGAIN)
with os.fdopen(w, "w") as writer:
    print("through a file", file=writer)
print(os.fdopen(r).read())
r, w = os.pipe()
os.close(r)
try:
    os.write(w, b"x")
except BrokenPipeError as error:
    print(error)
os.close(w)

# What a program prints, caught in a pipe.
r, w = os.pipe()
saved = os.dup(1)
os.dup2(w, 1)
os.write(1, b"caught")
os.dup2(saved, 1)
os.close(w)
print(os.read(r, 100), os.read(r, 100))

fd = os.open("v.bin", os.O_RDWR | os.O_CREAT)
print(os.writev(fd, [b"abc", b"", bytearray(b"defg"), memoryview(b"hi")]))
os.lseek(fd, 0, os.SEEK_SET)
parts = [bytearray(2), bytearray(0), bytearray(5), bytearray(9)]
print(os.readv(fd, parts), parts)
print(os.pwritev(fd, [b"XY", b"Z"], 3), os.preadv(fd, parts[:1], 3), parts[0], os.pread(fd, 100, 0))
big = [os.urandom(1_500_000), os.urandom(700_001)]
print(os.pwritev(fd, big, 10), os.write(fd, b"") , os.pwrite(fd, big[0], 5_000_000))
back = [bytearray(2_000_000), bytearray(200_001), bytearray(1)]
print(os.preadv(fd, back, 10), b"".join(back)[:-1] == b"".join(big), len(os.pread(fd, 3_000_000, 5_000_000)))
print(len(os.read(os.open("v.bin", os.O_RDONLY), 10_000_000)))

print(os.posix_fallocate(fd, 0, 8_000_000), os.fstat(fd).st_size, os.ftruncate(fd, 10), os.pread(fd, 20, 0))
print(fcntl.flock(fd, fcntl.LOCK_EX), fcntl.lockf(fd, fcntl.LOCK_UN), os.lockf(fd, os.F_LOCK, 0), os.lockf(fd, os.F_ULOCK, 0))
again = os.dup(fd)
os.lseek(fd, 3, os.SEEK_SET)
print(os.lseek(again, 0, os.SEEK_CUR), os.read(again, 3), os.lseek(fd, 0, os.SEEK_CUR))
for bad in (lambda: os.read(99, 1), lambda: os.lseek(os.pipe()[0], 0, 0), lambda: os.pread(fd, 1, -1),
            lambda: os.write(os.open("v.bin", os.O_RDONLY), b"x"), lambda: os.listdir(fd), lambda: os.writev(fd, 5)):
    try:
        print(bad())
    except (OSError, TypeError) as error:
        print(type(error).__name__, errno.errorcode[error.errno] if isinstance(error, OSError) else error)
out = os.open("sent.bin", os.O_CREAT | os.O_RDWR)
print(os.sendfile(out, fd, 2, 100), os.sendfile(out, fd, 100, 100), os.pread(out, 100, 0))
os.close(fd)
fd = os.open("v.bin", os.O_RDONLY | os.O_TRUNC)
print(os.fstat(fd).st_size)
fd = os.open("a.txt", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
os.write(fd, b"123")
fd = os.open("a.txt", os.O_WRONLY | os.O_APPEND | os.O_TRUNC)
os.write(fd, b"4")
print(open("a.txt").read())
with io.open("r.bin", "wb", buffering=0) as raw:
    print(raw.write(bytes(3_000_000)))
with io.open("r.bin", "rb", buffering=0) as raw:
    print(len(raw.read(2_500_000)), len(raw.read()))
