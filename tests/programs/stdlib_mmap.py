"""Memory maps: of files, private and shared, and of memory alone."""
import hashlib
import mmap
import os
import re
import struct


def attempt(what, action):
    try:
        print(what, "->", action())
    except Exception as error:
        print(what, "->", type(error).__name__, error)


with open("data.txt", "wb") as f:
    f.write(b"first line\nsecond line\nthird line\n" + bytes(5000))
with open("data.txt", "r+b") as f:
    with mmap.mmap(f.fileno(), 0) as mm:
        print(len(mm), mm.size(), mm[:5], mm[0], mm[-1], mm[0:10:3], mm[::-1][-5:], mm)
        print(mm.readline(), mm.readline(), mm.tell(), mm.read(5), mm.read_byte(), mm.seek(0), mm.seek(-1, 2))
        print(mm.find(b"line", 0), mm.find(b"line"), mm.rfind(b"line", 0), mm.find(b"line", 7, 20), mm.find(b"nothing", 0))
        mm[0:5] = b"FIRST"
        mm[6] = ord("L")
        print(open("data.txt", "rb").read(10), mm[:10])
        mm.seek(11)
        print(mm.write(b"SECOND"), mm.tell(), mm.flush())
        mm.move(100, 0, 10)
        print(mm[100:110], re.search(rb"th\w+", mm).span(), [m.start() for m in re.finditer(rb"line", mm)])
        print(hashlib.sha256(mm).hexdigest() == hashlib.sha256(mm[:]).hexdigest(), struct.unpack_from("<I", mm, 4))
        struct.pack_into("<I", mm, 200, 0x01020304)
        mm.flush()
        f.seek(200)
        print(f.read(4), mm[200:204])
        attempt("index", lambda: mm[len(mm)])
        attempt("size", lambda: mm.__setitem__(slice(0, 3), b"xx"))
        attempt("value", lambda: mm.__setitem__(0, 256))
        attempt("type", lambda: mm.__setitem__(0, b"x"))
        attempt("seek", lambda: mm.seek(-1))
        mm.seek(0, 2)
        attempt("end", lambda: mm.write(b"x"))
        attempt("byte", mm.read_byte)
        print(mm.read(), mm.read_byte if False else mm.readline())
        mm.resize(6000)
        print(len(mm), os.path.getsize("data.txt"), mm[5990:])
        view = memoryview(mm)
        attempt("close while exported", mm.close)
        view[0:2] = b"vv"
        view.release()
        print(list(iter(mm))[:3], b"v" in mm)
    print(mm.closed, mm, open("data.txt", "rb").read(12))
    attempt("closed", lambda: mm[0])

with open("data.txt", "rb") as f:
    with mmap.mmap(f.fileno(), 0, access=mmap.ACCESS_READ) as mm:
        attempt("read only", lambda: mm.__setitem__(0, 1))
        attempt("read only write", lambda: mm.write(b"x"))
        print(memoryview(mm).readonly, mm[3:8], bytes(mm) == open("data.txt", "rb").read(), mm)
    attempt("writable map of a file open for reading", lambda: mmap.mmap(f.fileno(), 0))
    with mmap.mmap(f.fileno(), 10, access=mmap.ACCESS_COPY) as mm:
        mm[0:3] = b"own"
        print(mm[:], open("data.txt", "rb").read(3), mm)
    with mmap.mmap(f.fileno(), 100, prot=mmap.PROT_READ, offset=4096) as mm:
        print(mm[:3], len(mm), mm)
    attempt("too long", lambda: mmap.mmap(f.fileno(), 10**6, access=mmap.ACCESS_READ))
    attempt("bad offset", lambda: mmap.mmap(f.fileno(), 10, access=mmap.ACCESS_READ, offset=10))
    attempt("both", lambda: mmap.mmap(f.fileno(), 10, access=mmap.ACCESS_READ, prot=mmap.PROT_READ))
    attempt("negative", lambda: mmap.mmap(f.fileno(), -1))
open("empty", "w").close()
with open("empty", "r+b") as f:
    attempt("empty", lambda: mmap.mmap(f.fileno(), 0))

anonymous = mmap.mmap(-1, 8192)
anonymous.write(b"in memory")
anonymous.seek(0)
print(anonymous.read(9), len(anonymous), anonymous[9:12])
attempt("size of no file", anonymous.size)
anonymous.write_byte(65)
print(anonymous[9:10])
array = memoryview(anonymous).cast("I")
array[100] = 7
array.release()
print(anonymous[400:404])
anonymous.close()
attempt("bad descriptor", lambda: mmap.mmap(99, 10))
print(mmap.ACCESS_READ, mmap.PAGESIZE == mmap.ALLOCATIONGRANULARITY, mmap.error is OSError)
