#: promise = "Names and paths that are far too long raise OSError"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

for path in ("a" * 256, "a" * 5000, "é" * 200, "a" * 10**7, "a/" * 10**6 + "a", "/" * 10**6 + "missing", "../" * 10**6 + "etc/passwd"):
    for use in (open, os.stat, os.mkdir, lambda p: open(p, "w"), lambda p: os.symlink(p, p), os.chdir, os.listdir):
        try:
            use(path)
        except OSError:
            continue
        raise AssertionError(f"{path[:20]} ({len(path)}) was accepted")
print("ok")
