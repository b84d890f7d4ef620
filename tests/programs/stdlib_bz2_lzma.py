import bz2
import io
import lzma

data = b"".join(b"line %05d of the test data\n" % i for i in range(500))
packed = bz2.compress(data)
print(packed[:4], bz2.decompress(packed) == data, len(packed) < len(data) // 4)
with bz2.open("t.bz2", "wt", newline="\n") as fh:
    fh.writelines(["alpha\n", "βeta\n"])
print(bz2.open("t.bz2", "rt").read().split())
dec = bz2.BZ2Decompressor()
out = b""
for i in range(0, len(packed), 64):
    out += dec.decompress(packed[i:i + 64])
print(out == data, dec.eof, dec.unused_data, dec.needs_input)

for fmt, name in ((lzma.FORMAT_XZ, "xz"), (lzma.FORMAT_ALONE, "alone")):
    p = lzma.compress(data, format=fmt)
    print(name, p[:6], lzma.decompress(p) == data, len(p) < len(data) // 4)
filters = [{"id": lzma.FILTER_DELTA, "dist": 4}, {"id": lzma.FILTER_LZMA2, "preset": 3}]
raw = lzma.compress(data, lzma.FORMAT_RAW, filters=filters)
print(lzma.decompress(raw, lzma.FORMAT_RAW, filters=filters) == data)
x = lzma.compress(b"small", check=lzma.CHECK_CRC32)
d = lzma.LZMADecompressor()
print(d.decompress(x + b"extra"), d.check == lzma.CHECK_CRC32, d.unused_data)
with lzma.open("t.xz", "wb") as fh:
    fh.write(data)
with lzma.open("t.xz") as fh:
    fh.seek(52)
    print(fh.readline(), fh.tell(), sum(1 for _ in fh))
multi = bz2.compress(b"one") + bz2.compress(b"two")
print(bz2.decompress(multi), bz2.BZ2File(io.BytesIO(multi)).read())
for fn in (lambda: bz2.decompress(b"bad data"), lambda: lzma.decompress(b"bad data"), lambda: bz2.decompress(packed[:30])):
    try:
        fn()
    except (OSError, ValueError, lzma.LZMAError) as e:
        print(type(e).__name__, e)
