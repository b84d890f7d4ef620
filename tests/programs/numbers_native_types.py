"""C types as on 64-bit Linux: struct, array, memoryview, ctypes."""
import array
import ctypes
import marshal
import pickle
import struct

for code in "cbB?hHiIlLqQnNefdspP":
    print(code, struct.calcsize(code), struct.calcsize("b" + code), struct.calcsize("bi" + code + "b"), struct.calcsize(code + "0l"))
print(struct.pack("l", -1), struct.pack("L", 2**64 - 1), struct.pack("P", 2**40), struct.pack("nN", -5, 2**63), struct.pack("bl", 1, 2))
print(struct.unpack("l", b"\xff" * 8), struct.unpack("P", b"\1\0\0\0\0\1\0\0"), struct.unpack("@bn", bytes(8) + b"\1" + bytes(7)))
for code, value in {"l": 2**63, "L": -1, "P": 2**64, "n": 2**63, "i": 2**31}.items():
    try:
        print(struct.pack(code, value))
    except (struct.error, OverflowError) as e:
        print(code, type(e).__name__, e)

for code in "bBhHiIlLqQfdw":
    print(code, array.array(code).itemsize)
longs = array.array("l", [2**62, -1, 0])
print(longs.tobytes(), longs.buffer_info()[1], pickle.loads(pickle.dumps(longs)), array.array("L", [2**64 - 1]))
for value in (2**63, -(2**63) - 1):
    try:
        longs.append(value)
    except OverflowError as e:
        print(e)

for code in "lLqQnNP":
    view = memoryview(bytearray(16)).cast(code)
    view[1] = 2**40 + 5
    print(code, view.format, view.itemsize, view.tolist(), view == memoryview(bytes(view)).cast(code), view.nbytes)

names = "c_byte c_short c_int c_long c_ulong c_longlong c_size_t c_ssize_t c_void_p c_char_p c_wchar_p py_object c_float c_double "
for name in (names + "c_longdouble c_wchar c_bool c_time_t").split():
    print(name, ctypes.sizeof(getattr(ctypes, name)), ctypes.alignment(getattr(ctypes, name)))


class Record(ctypes.Structure):
    _fields_ = [("kind", ctypes.c_char), ("count", ctypes.c_long), ("name", ctypes.c_char_p), ("next", ctypes.POINTER(ctypes.c_int))]


print(ctypes.sizeof(Record), Record.count, Record.name, Record.next)
number = ctypes.c_int(5)
record = Record(b"x", 2**40, b"hello", ctypes.pointer(number))
print(record.kind, record.count, record.name, record.next[0], record.next.contents.value)
record.next[0] = 7
print(number.value, ctypes.c_void_p(2**40).value, ctypes.c_void_p(None).value, ctypes.c_long(2**63).value, ctypes.c_size_t(-1).value)
buffer = ctypes.create_string_buffer(b"abc", 10)
ctypes.memset(buffer, 65, 2)
copy = ctypes.create_string_buffer(10)
ctypes.memmove(copy, buffer, 3)
print(buffer.raw, copy.raw, ctypes.string_at(copy), ctypes.cast(copy, ctypes.c_char_p).value, bytes(ctypes.memoryview_at(copy, 4)))
print((ctypes.c_char_p * 3)(b"a", b"b", b"c")[:], (ctypes.c_long * 2)(2**40, -1)[:], ctypes.wstring_at(ctypes.create_unicode_buffer("hey")))
print(memoryview((ctypes.c_long * 2)()).format, memoryview((ctypes.c_void_p * 2)()).itemsize)
print(marshal.dumps([2**31, -(2**31) - 1, 2**62, 2**70]))
