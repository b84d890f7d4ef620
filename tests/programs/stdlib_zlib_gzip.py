import gzip
import io
import zlib

text = ("Lorem ipsum dolor sit amet, " * 200).encode()
for level in (0, 1, 6, 9):
    c = zlib.compress(text, level)
    print(level, len(c) < len(text), zlib.decompress(c) == text)
print(zlib.crc32(text), zlib.adler32(text), zlib.crc32(b"b", zlib.crc32(b"a")) == zlib.crc32(b"ab"))

co = zlib.compressobj(9, zlib.DEFLATED, -15)
raw = co.compress(text[:1000]) + co.flush(zlib.Z_SYNC_FLUSH) + co.compress(text[1000:]) + co.flush()
do = zlib.decompressobj(-15)
first = do.decompress(raw, 100)
print(len(first), bool(do.unconsumed_tail), len(do.decompress(do.unconsumed_tail)) + 100 == len(text), do.eof)
do = zlib.decompressobj()
out = do.decompress(zlib.compress(b"payload") + b"trailing")
print(out, do.unused_data)
d = zlib.compressobj(zdict=b"Lorem ipsum")
small = d.compress(b"Lorem ipsum!") + d.flush()
print(zlib.decompressobj(zdict=b"Lorem ipsum").decompress(small))

with gzip.open("f.gz", "wt", encoding="utf-8") as fh:
    fh.write("première ligne\nsecond\nthird\n")
with gzip.open("f.gz", "rt", encoding="utf-8") as fh:
    print(fh.readline().strip(), fh.read().split())
with gzip.open("f.gz", "ab") as fh:
    fh.write(b"appended member")
print(gzip.open("f.gz").read().decode().splitlines())
blob = gzip.compress(b"fixed", mtime=0)
print(gzip.decompress(blob), blob[:4], gzip.GzipFile(fileobj=io.BytesIO(blob)).read(3))
for bad in (b"not gzip", blob[:-4], blob[:12]):
    try:
        gzip.decompress(bad)
    except (OSError, EOFError, zlib.error) as e:
        print(type(e).__name__, e)
try:
    zlib.decompress(b"garbage!")
except zlib.error as e:
    print(e)
