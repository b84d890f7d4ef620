#: promise = "Paths given as bytes, also such as are not UTF-8, do not escape and do not crash"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

for path in (b"../../etc/passwd", b"/etc/passwd", b"../" * 30 + b"etc/passwd", b"\xff/../../etc/passwd", b"\xc0\xae\xc0\xae/\xc0\xae\xc0\xae/etc/passwd"):
    for look in (open, os.stat, os.listdir, os.chdir):
        try:
            look(path)
        except (OSError, ValueError):
            continue
        raise AssertionError(f"{path} is visible")
for name in (b"\xff\xfe", b"\xed\xa0\x80", b"new\nline", b"\x1b[2J", "e\u0301\u202e".encode(), b" ", b"\\..\\..", b"C:", b"con", b"-rf"):
    try:
        with open(name, "wb") as file:
            file.write(b"x")
    except (OSError, ValueError):
        continue
    assert name in os.listdir(b"."), name
    os.listdir(".")
    os.remove(name)
print("ok")
