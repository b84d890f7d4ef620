#: promise = "A path with a NUL in it raises a Python exception and is not cut at the NUL"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

open("inside", "w").close()
for path in ("inside\0", "inside\0../../etc/passwd", "\0", "/etc/passwd\0.txt", b"inside\0"):
    for use in (
        open,
        os.stat,
        os.mkdir,
        os.remove,
        os.listdir,
        lambda p: open(p, "w"),
        lambda p: os.rename("inside", p),
        lambda p: os.symlink(p, "link"),
        lambda p: os.open(p, os.O_CREAT),
    ):
        try:
            use(path)
        except (ValueError, TypeError, OSError):
            continue
        raise AssertionError(f"{path!r} was accepted")
assert os.path.exists("inside") and not os.path.lexists("link")
print("ok")
