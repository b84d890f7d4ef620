import io
from compression import zlib, gzip, bz2, lzma
import zlib as old_zlib
import importlib

data = b"compress me please, " * 50
print(zlib.crc32(data) == old_zlib.crc32(data), zlib.compress is old_zlib.compress)
for mod in (zlib, gzip, bz2, lzma):
    packed = mod.compress(data)
    print(mod.__name__, mod.decompress(packed) == data, len(packed) < len(data) // 2)
with gzip.open("x.gz", "wt") as fh:
    fh.write("text via compression.gzip\n")
print(gzip.open("x.gz", "rt").read(), end="")
with lzma.open("x.xz", "w") as fh:
    fh.writelines([b"one\n", b"two\n"])
print(lzma.open("x.xz").readlines())
print(bz2.BZ2File(io.BytesIO(bz2.compress(b"bz"))).read())
d = zlib.decompressobj()
chunks = [zlib.compress(data)[i:i + 16] for i in range(0, 200, 16)]
total = sum(len(d.decompress(c)) for c in chunks if c and not d.eof)
print(total, d.eof)
print(importlib.import_module("compression").__name__, zlib.Z_BEST_COMPRESSION, lzma.FORMAT_XZ, zlib.MAX_WBITS)
try:
    zlib.decompress(b"xx")
except zlib.error as e:
    print(e)
