import io
import os
import tarfile


def add(tar, name, data, mode=0o644):
    info = tarfile.TarInfo(name)
    info.size, info.mtime, info.mode = len(data), 1_000_000_000, mode
    info.uname = info.gname = "user"
    tar.addfile(info, io.BytesIO(data))


for mode, name in (("w", "t.tar"), ("w:gz", "t.tgz"), ("w:bz2", "t.tbz"), ("w:xz", "t.txz")):
    with tarfile.open(name, mode) as tar:
        add(tar, "pkg/a.txt", b"alpha\n")
        add(tar, "pkg/sub/b.sh", b"#!/bin/sh\n", 0o755)
        add(tar, "pkg/" + "long" * 40 + ".txt", b"x")
        d = tarfile.TarInfo("pkg/dir")
        d.type = tarfile.DIRTYPE
        tar.addfile(d)
        link = tarfile.TarInfo("pkg/link")
        link.type, link.linkname = tarfile.SYMTYPE, "a.txt"
        tar.addfile(link)
    with tarfile.open(name) as tar:
        print(name, len(tar.getmembers()), tar.extractfile("pkg/a.txt").read())

with tarfile.open("t.tgz") as tar:
    for m in tar:
        print(m.name[:20], m.size, oct(m.mode), m.mtime, m.isdir(), m.issym(), m.linkname)
    tar.extractall("out", filter="data")
print(sorted(os.listdir("out/pkg"))[:2], os.stat("out/pkg/sub/b.sh").st_mode & 0o100 != 0, os.readlink("out/pkg/link"))

os.makedirs("src/inner")
for i in range(3):
    with open(f"src/inner/f{i}.txt", "w") as fh:
        fh.write("data" * i)
with tarfile.open("src.tar", "w") as tar:
    tar.add("src", arcname="renamed", filter=lambda t: None if t.name.endswith("f1.txt") else t)
print(sorted(tarfile.open("src.tar").getnames()))
evil = io.BytesIO()
with tarfile.open(fileobj=evil, mode="w") as tar:
    add(tar, "../escape.txt", b"no")
evil.seek(0)
try:
    tarfile.open(fileobj=evil).extractall("out", filter="data")
except tarfile.OutsideDestinationError as e:
    print(type(e).__name__)
open("junk.tar", "wb").write(b"junk" * 200)
try:
    tarfile.open("junk.tar")
except tarfile.ReadError as e:
    print("ReadError", str(e).splitlines()[0])
