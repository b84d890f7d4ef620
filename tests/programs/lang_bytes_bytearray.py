b = b"Hello, \x00\xff World\n"
print(b, len(b), b[0], b[1:4], b[-1:], list(b[:5]), b.hex(), b.hex("-", 4), bytes.fromhex("48 65 6c"))
print(b.upper(), b.split(), b.partition(b","), b.replace(b"l", b"LL"), b.find(b"World"), b.count(b"l"), b.startswith((b"x", b"He")), b.strip(b"\nH"))
print(bytes(3), bytes([65, 66]), bytes("é", "utf-8"), bytes(range(5)), b"a" * 3 + b"b", b"%s-%05d-%x-%a" % (b"x", 42, 255, "é"), b"abc" < b"abd", 97 in b"abc")
print(b"a,b,,c".split(b","), b"-".join([b"x", bytearray(b"y")]), b"x=1;y=2".rsplit(b";", 1), b"tab\there".expandtabs(4), b"abc".center(9, b"*"), b"7".zfill(3))
print(b"Title case".title(), b"swap".swapcase(), b"abc".isalpha(), b"123".isdigit(), b"l1\nl2\r\nl3".splitlines(), b"prefix-x".removeprefix(b"prefix-"))
table = bytes.maketrans(b"abc", b"xyz")
print(b"aabbcc-d".translate(table, b"-"), b"rot13".translate(bytes((c - 97 + 13) % 26 + 97 if 97 <= c <= 122 else c for c in range(256))))

ba = bytearray(b"mutable")
ba[0] = ord("M")
ba[1:3] = b"--"
ba += b"!"
ba.append(63)
ba.extend([49, 50])
ba.insert(0, 42)
del ba[-1]
print(ba, ba.pop(), ba, ba.index(b"-"), ba.reverse(), ba, bytes(ba), ba == bytes(ba))
ba.remove(33)
ba.clear()
print(ba, len(ba), bytearray(4), bytearray(b"x") * 3)
for src in ("b'abc'[0] = 1", "bytes([256])", "bytearray(b'x').append(-1)", "b'a' + 'b'", "b'a'.join(['x'])", "bytes('x')", "bytes(-1)", "b'é'", "bytes.fromhex('zz')", "'x' in b'x'", "b'abc'.index(b'z')", "bytearray(b'').pop()", "b'%d' % b'x'"):
    try:
        exec(src)
        print(src, "ok")
    except Exception as e:
        print(f"{src:32} {type(e).__name__}: {e}")


def hexdump(data, width=8):
    for off in range(0, len(data), width):
        row = data[off:off + width]
        print(f"{off:04x}  {row.hex(' '):<{width * 3}} {''.join(chr(c) if 32 <= c < 127 else '.' for c in row)}")


hexdump(b)


def xor(data, key):
    return bytes(c ^ key[i % len(key)] for i, c in enumerate(data))


enc = xor(b"attack at dawn", b"key")
print(enc, xor(enc, b"key"), int.from_bytes(b"\x01\x02", "little"), b"caf\xc3\xa9".decode(), "€".encode("utf-8"), str(b"x"), b"\\\'\"\t\x7f\x80")
