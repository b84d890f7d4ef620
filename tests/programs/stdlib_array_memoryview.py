from array import array

a = array("i", [5, 3, 8, -1])
a.append(42)
a.extend(range(3))
a.insert(1, 99)
print(a, a.typecode, a.itemsize, len(a), a.index(8), a.count(0))
a.remove(99)
print(a.pop(), a[::-1], sorted(a), sum(a))
b = array("H", [1, 256, 65535])
print(b.tobytes().hex(), end=" ")
b.byteswap()
print(b.tolist())
u = array("w", "héllo")
print(u, u.tounicode())
d = array("d", [1.5, -2.25])
with open("d.bin", "wb") as fh:
    d.tofile(fh)
e = array("d")
with open("d.bin", "rb") as fh:
    e.fromfile(fh, 2)
print(e == d, e)
for fn in (lambda: array("B", [256]), lambda: array("i", ["x"]), lambda: array("z"), lambda: a.index(12345)):
    try:
        fn()
    except (OverflowError, TypeError, ValueError) as ex:
        print(type(ex).__name__, ex)

data = bytearray(b"abcdefghijkl")
mv = memoryview(data)
mv[2:4] = b"ZZ"
print(bytes(mv[::3]), mv.nbytes, mv.readonly, mv.format, mv.tolist()[:3])
grid = mv.cast("B", (3, 4))
print(grid.shape, grid.ndim, grid[1, 2], grid.tolist())
shorts = mv.cast("H")
print(len(shorts), shorts.itemsize)
try:
    data.extend(b"more")
except BufferError as ex:
    print("BufferError:", ex)
grid.release()
shorts.release()
mv.release()
data.extend(b"more")
print(data, memoryview(b"ro").readonly)
try:
    memoryview(b"ro")[0] = 1
except TypeError as ex:
    print("TypeError:", ex)
print(memoryview(a)[1], memoryview(a).tolist() == a.tolist(), memoryview(b"abc") == b"abc")
