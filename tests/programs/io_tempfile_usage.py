import os
import tempfile

tempfile.tempdir = os.getcwd()
with tempfile.TemporaryDirectory(prefix="pre_", suffix="_suf") as d:
    base = os.path.basename(d)
    print(base.startswith("pre_"), base.endswith("_suf"), os.path.isdir(d))
    with open(os.path.join(d, "x.txt"), "w") as fh:
        fh.write("inside")
    print(os.listdir(d))
print(os.path.exists(d))

with tempfile.NamedTemporaryFile("w+", suffix=".txt", delete=False) as f:
    f.write("hello\nworld\n")
    f.seek(0)
    print(f.readlines(), f.name.endswith(".txt"), f.mode)
print(os.path.exists(f.name), os.path.getsize(f.name))
os.unlink(f.name)
with tempfile.NamedTemporaryFile(delete_on_close=False) as f:
    f.write(b"bytes")
    f.close()
    print(open(f.name, "rb").read())
print(os.path.exists(f.name))

with tempfile.TemporaryFile() as f:
    f.write(b"anonymous")
    f.seek(-4, os.SEEK_END)
    print(f.read(), f.tell())
with tempfile.SpooledTemporaryFile(max_size=10, mode="w+") as f:
    f.write("short")
    print(f._rolled, end=" ")
    f.write("now it is much longer")
    print(f._rolled)
    f.seek(0)
    print(f.read())
fd, path = tempfile.mkstemp(text=True)
os.write(fd, b"raw descriptor")
os.lseek(fd, 4, os.SEEK_SET)
print(os.read(fd, 100), os.fstat(fd).st_size, oct(os.stat(path).st_mode & 0o777))
os.close(fd)
os.remove(path)
d = tempfile.mkdtemp(dir=".")
print(os.path.isdir(d), len(os.path.basename(d)) > 5)
os.rmdir(d)
print(os.listdir(".") == [os.path.basename(__file__)], tempfile.gettempprefix())
try:
    tempfile.mkstemp(dir="no_such_dir")
except FileNotFoundError as e:
    print(type(e).__name__, e.errno)
