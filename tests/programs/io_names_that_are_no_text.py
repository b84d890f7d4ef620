"""File names are bytes: those that are no UTF-8 are made, listed, renamed and found again."""
import glob
import os
import pathlib
import shutil

name = b"caf\xe9.txt"
with open(name, "w") as f:
    f.write("kept")
print(sorted(os.listdir(b".")), ascii(sorted(os.listdir("."))))
text = os.fsdecode(name)
print(ascii(text), os.path.exists(text), open(text).read(), os.stat(name).st_size)
print([entry.name for entry in os.scandir(b".") if b"caf" in entry.name])
print([ascii(path.name) for path in pathlib.Path(".").glob("caf*")], [ascii(path) for path in glob.glob("caf*")])
os.mkdir(b"\xff\xfe")
shutil.copy(text, b"\xff\xfe/copy\x80")
os.rename(name, b"\xff\xfe/moved\xe9")
print(sorted(os.listdir(b"\xff\xfe")))
os.symlink(b"moved\xe9", b"\xff\xfe/link\xe8")
print(os.readlink(b"\xff\xfe/link\xe8"), open(b"\xff\xfe/link\xe8").read())
os.chdir(b"\xff\xfe")
print(os.path.basename(os.getcwdb()), ascii(os.path.basename(os.getcwd())))
os.chdir("..")
os.chmod(b"\xff\xfe/moved\xe9", 0o600)
os.utime(b"\xff\xfe/moved\xe9", (1, 2))
print(oct(os.stat(b"\xff\xfe/moved\xe9").st_mode), os.stat(b"\xff\xfe/moved\xe9").st_mtime)
long = "é" * 127 + "x"
open(long, "w").close()
print(len(os.fsencode(long)), long in os.listdir("."))
for bad in ("é" * 128, b"\xff" * 256, "a" * 5000, "x/" * 2100):
    try:
        open(bad, "w")
    except OSError as error:
        print(error.strerror)
try:
    open(b"\xe9missing")
except OSError as error:
    print(error)
for found in sorted(os.listdir(b"\xff\xfe")):
    os.unlink(b"\xff\xfe/" + found)
os.rmdir(b"\xff\xfe")
