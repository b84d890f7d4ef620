import struct

HEADER = struct.Struct("<4sHBxIq")
print(HEADER.size, HEADER.format)
blob = HEADER.pack(b"DATA", 513, 7, 0xDEADBEEF, -5)
print(blob.hex(" "), HEADER.unpack(blob))
for fmt, values in [(">h", (-2,)), ("<f", (1.5,)), (">d", (3.141592653589793,)), ("!5p", (b"abcdefg",)), ("<?b", (True, -128)),
                    (">e", (0.333,)), ("<3s2x2H", (b"ab", 1, 65535)), (">Q", (2**64 - 1,)), ("<c", (b"z",))]:
    p = struct.pack(fmt, *values)
    print(f"{fmt:8} {struct.calcsize(fmt):2} {p.hex()} {struct.unpack(fmt, p)}")

buf = bytearray(16)
struct.pack_into(">HH", buf, 4, 1, 2)
print(buf, struct.unpack_from(">H", buf, 6))
print(list(struct.iter_unpack("<HB", bytes(range(9)))))
for fn in (lambda: struct.pack("<B", 256), lambda: struct.pack("<h", 40000), lambda: struct.unpack("<I", b"abc"),
           lambda: struct.pack("<2H", 1), lambda: struct.pack("<f", "x"), lambda: struct.calcsize("<Y")):
    try:
        fn()
    except struct.error as e:
        print("error:", e)


def make_bmp(w, h, pixel):
    row = b"".join(bytes(pixel(x, 0)) for x in range(w))
    pad = b"\0" * (-len(row) % 4)
    body = b"".join(b"".join(bytes(pixel(x, y)) for x in range(w)) + pad for y in range(h))
    return struct.pack("<2sIHHI", b"BM", 54 + len(body), 0, 0, 54) + struct.pack("<IiiHHIIiiII", 40, w, h, 1, 24, 0, len(body), 0, 0, 0, 0) + body


bmp = make_bmp(3, 2, lambda x, y: (x * 80, y * 80, 255))
print(len(bmp), bmp[:14].hex(), bmp[54:].hex())
print(struct.unpack("<ii", bmp[18:26]), struct.pack("<f", float("inf")).hex())
