#< 3
#< 4
#< 5
"""Standard streams and devices opened by their paths."""
import errno
import os
import stat
import sys

with open("/dev/stdin") as source:
    print(source.readline().strip())
    print(sum(map(int, source)))
sys.stdout.flush()
with open("/dev/stdout", "w") as sink:
    print("to the sink", file=sink)
print("after", open("/dev/fd/0").read() == "", open("/proc/self/fd/0", "rb").read())
sys.stdout.flush()
with open("/dev/fd/1", "ab", buffering=0) as raw:
    raw.write(b"unbuffered\n")
os.write(os.open("/proc/self/fd/1", os.O_WRONLY), b"low\n")
with open("/dev/stderr", "w") as errors:
    print("to stderr", file=errors)

with open("numbers.txt", "w+") as f:
    f.write("0123456789")
    f.flush()
    with open(f"/dev/fd/{f.fileno()}") as again:
        print(again.read(3), f.tell(), again.read())
    print(os.readlink(f"/proc/self/fd/{f.fileno()}") == os.path.abspath("numbers.txt"))
    print(str(f.fileno()) in os.listdir("/dev/fd"), {"0", "1", "2"} <= set(os.listdir("/proc/self/fd")))

for path in ("/dev/tty", "/dev/fd/77", "/proc/self/fd/x", "/dev/nothing", "/dev/null/x"):
    try:
        open(path)
        print(path, "opened")
    except OSError as error:
        print(path, errno.errorcode[error.errno])
for path in ("/dev/stdin", "/dev/null", "/dev/tty", "/dev/full", "/dev/fd", "/dev/fd/0", "/dev/fd/99"):
    print(path, os.path.exists(path), os.path.isdir(path), os.path.isfile(path))
print(stat.S_ISCHR(os.stat("/dev/null").st_mode), stat.S_ISFIFO(os.stat("/dev/stdin").st_mode), os.path.islink("/dev/stdin"))

full = open("/dev/full", "wb", buffering=0)
try:
    full.write(b"x")
except OSError as error:
    print(error)
with open("/dev/full", "rb") as zeros, open("/dev/null", "w") as null:
    print(zeros.read(3), null.write("abc"))
try:
    with open("/dev/full", "w") as text:
        text.write("x")
except OSError as error:
    print(error)
