import ctypes as C

FIXED = [C.c_int8, C.c_uint8, C.c_int16, C.c_uint16, C.c_int32, C.c_uint32, C.c_int64, C.c_uint64, C.c_float, C.c_double, C.c_bool, C.c_char]
for t in FIXED:
    print(C.sizeof(t), end=" ")
print()
print(C.c_uint8(300).value, C.c_int8(200).value, C.c_uint32(-1).value, C.c_int16(0x12345).value, C.c_uint64(2**64 + 5).value)
print(C.c_float(0.1).value, C.c_double(0.1).value, C.c_bool(5).value, C.c_char(b"x").value)


class Header(C.LittleEndianStructure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = [("magic", C.c_char * 4), ("version", C.c_uint16), ("flags", C.c_uint8), ("size", C.c_uint32)]


h = Header(b"ABCD", 2, 7, 1000)
print(C.sizeof(h), bytes(h).hex(), h.magic, h.size, Header.size.offset)
back = Header.from_buffer_copy(bytes(h))
print(back.version, [f[0] for f in Header._fields_])


class Bits(C.Structure):
    _fields_ = [("lo", C.c_uint8, 3), ("hi", C.c_uint8, 5)]


b = Bits(5, 17)
print(b.lo, b.hi, bytes(b))


class Word(C.Union):
    _fields_ = [("u32", C.c_uint32), ("b", C.c_uint8 * 4)]


w = Word(u32=0x01020304)
print(list(w.b), C.sizeof(Word))
arr = (C.c_int32 * 5)(1, 2, 3)
arr[4] = -9
print(list(arr), len(arr), arr[1:3], C.sizeof(arr))
buf = C.create_string_buffer(b"hello", 10)
print(buf.value, buf.raw, len(buf))
p = C.pointer(C.c_int32(41))
p.contents.value += 1
print(p[0], bool(C.POINTER(C.c_int32)()), C.c_char_p(b"abc").value)
x = bytearray(8)
(C.c_uint32 * 2).from_buffer(x)[1] = 0xFF
print(x)
for bad in (lambda: C.c_int32("x"), lambda: arr[9], lambda: Header.from_buffer_copy(b"short"), lambda: setattr(h, "version", "no")):
    try:
        bad()
    except (TypeError, IndexError, ValueError) as e:
        print(type(e).__name__, e)
