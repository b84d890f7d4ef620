#: promise = "A stream whose header asks for a 4 GB dictionary raises a Python exception or yields nothing"
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import lzma

header = b"\x5d" + b"\xff\xff\xff\xff" + b"\xff" * 8
try:
    data = lzma.LZMADecompressor(format=lzma.FORMAT_ALONE).decompress(header + bytes(100), 1000)
    assert len(data) <= 1000, len(data)
except (MemoryError, lzma.LZMAError):
    pass
print("ok")
