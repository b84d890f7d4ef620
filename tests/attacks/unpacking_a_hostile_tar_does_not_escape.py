#: promise = "A tar archive with links and climbing names, unpacked without any filter, does not escape"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import io
import os
import tarfile

entries = [("../escaped", "0", "")]
entries += [("/escaped", "0", ""), ("up", "2", "../.."), ("up/escaped", "0", "")]
entries += [("root", "2", "/"), ("root/escaped", "0", "")]
entries += [("pass", "1", "/etc/passwd"), ("pass2", "2", "/etc/passwd"), ("fifo", "6", ""), ("device", "3", "")]
entries += [("a" * 300, "0", ""), ("../../work/ok", "0", "")]
buffer = io.BytesIO()
with tarfile.open(fileobj=buffer, mode="w") as archive:
    for name, kind, target in entries:
        header = tarfile.TarInfo(name)
        header.type, header.linkname = kind.encode(), target
        header.size = 1 if kind == "0" else 0
        archive.addfile(header, io.BytesIO(b"x"))
buffer.seek(0)
with tarfile.open(fileobj=buffer) as archive:
    for header in archive:
        try:
            archive.extract(header, "out", filter="fully_trusted")
        except Exception:
            pass
for path in ("/escaped", "../escaped", "../../escaped", "out/root/etc/passwd", "out/up/../etc/passwd"):
    assert not os.path.exists(path), path
for name in ("out/pass", "out/pass2"):
    assert not os.path.exists(name), name
print("ok")
