import io
import os
import zipfile

info = zipfile.ZipInfo("docs/readme.txt", (2020, 1, 2, 3, 4, 6))
with zipfile.ZipFile("a.zip", "w", zipfile.ZIP_DEFLATED) as z:
    z.writestr(info, "hello " * 100, zipfile.ZIP_DEFLATED)
    z.writestr(zipfile.ZipInfo("docs/ünïcode.txt", (1999, 12, 31, 23, 59, 58)), "snowman ☃")
    z.writestr(zipfile.ZipInfo("bin/data.bin", (2000, 1, 1, 0, 0, 0)), bytes(range(64)), zipfile.ZIP_LZMA)
    z.mkdir("empty")
    z.comment = b"archive comment"

with zipfile.ZipFile("a.zip") as z:
    print(z.namelist(), z.comment, z.testzip())
    for i in z.infolist():
        if i.filename != "empty/":
            print(i.filename, i.file_size, i.date_time, hex(i.CRC), i.compress_type, i.is_dir())
    print(z.read("docs/ünïcode.txt").decode())
    with z.open("docs/readme.txt") as fh:
        fh.seek(6)
        print(fh.read(5), fh.tell())
    z.extractall("out", [n for n in z.namelist() if n.startswith("docs")])
for root, dirs, files in sorted(os.walk("out")):
    print(root, sorted(files))

root = zipfile.Path("a.zip")
print(sorted(p.name for p in root.iterdir()), (root / "docs" / "readme.txt").read_text()[:11], (root / "nope").exists())
with zipfile.ZipFile("a.zip", "a") as z:
    z.writestr("added.txt", "later")
print(len(zipfile.ZipFile("a.zip").namelist()), zipfile.is_zipfile("a.zip"), zipfile.is_zipfile(io.BytesIO(b"PK")))
open("bad.zip", "wb").write(b"not a zip")
try:
    zipfile.ZipFile("bad.zip")
except zipfile.BadZipFile as e:
    print("BadZipFile:", e)
try:
    zipfile.ZipFile("a.zip").read("missing")
except KeyError as e:
    print("KeyError:", e)
