import io
import os

buf = io.StringIO("alpha\nbeta\r\ngamma")
print(buf.readlines(), buf.tell(), buf.seek(2), buf.read(3), buf.truncate(6), repr(buf.getvalue()))
b = io.BytesIO(b"0123456789")
view = b.getbuffer()
view[2:4] = b"XY"
view.release()
print(b.getvalue(), b.read(4), b.seek(-2, 2), b.read(), b.readable(), b.seekable())

with open("t.txt", "w", newline="\r\n", encoding="utf-8") as fh:
    print(fh.write("línea 1\nlínea 2\n"), fh.encoding, fh.tell())
print(open("t.txt", "rb").read(), open("t.txt", encoding="utf-8").read().splitlines(), repr(open("t.txt", newline="", encoding="utf-8").readline()))
with open("t.txt", "r+b") as fh:
    fh.seek(0, os.SEEK_END)
    fh.write(b"tail")
    fh.seek(-4, os.SEEK_CUR)
    print(fh.read(), fh.tell(), fh.peek()[:1])
    fh.truncate(5)
print(os.path.getsize("t.txt"))
raw = io.FileIO("raw.bin", "w+")
print(raw.write(b"abc" * 5), raw.seek(3), raw.read(4), raw.mode, raw.closed)
raw.close()
with open("raw.bin", "rb", buffering=0) as fh:
    arr = bytearray(6)
    print(type(fh).__name__, fh.readinto(arr), arr, fh.readall())
tw = io.TextIOWrapper(io.BytesIO("ä\nb\n".encode("latin-1")), encoding="latin-1", line_buffering=True)
print(tw.readline(), tw.detach().read())
br = io.BufferedReader(io.BytesIO(b"x" * 20 + b"end"), buffer_size=8)
print(br.peek(3)[:3], len(br.read1(5)), br.read(), io.BufferedRWPair(io.BytesIO(b"in"), io.BytesIO()).read())
with open("x.txt", "x") as fh:
    print("line", 1, sep=":", end="!\n", file=fh)
for fn in (lambda: open("x.txt", "x"), lambda: open("x.txt", "rw"), lambda: open("x.txt", "w").read(), lambda: fh.write("closed"), lambda: open("x.txt", "rb", encoding="utf-8"),
           lambda: io.BytesIO(b"").write("str"), lambda: open("raw.bin", "w").write(b"bytes"), lambda: b.seek(-5)):
    try:
        fn()
    except (OSError, ValueError, TypeError) as e:
        print(type(e).__name__, e)


class Upper(io.RawIOBase):
    def readable(self):
        return True

    def readinto(self, target):
        data = b"shouted"[:len(target)] if not getattr(self, "done", False) else b""
        self.done = True
        target[:len(data)] = data.upper()
        return len(data)


print(io.BufferedReader(Upper()).read(), io.DEFAULT_BUFFER_SIZE > 0, io.open is open)
