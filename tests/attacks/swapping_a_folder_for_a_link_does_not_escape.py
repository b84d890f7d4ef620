#: promise = "A folder that becomes a link to its grandparent after it was opened does not open the way out"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

os.makedirs("door/inner")
descriptor = os.open("door/inner", os.O_RDONLY | os.O_DIRECTORY)
os.rename("door", "moved")
try:
    os.symlink("../..", "door")
except OSError:
    os.mkdir("door")
os.rename("moved/inner", "inner")
os.rmdir("moved")
for path in ("../etc/passwd", "../../etc/passwd", "../../../etc/passwd", "../" * 20 + "etc/passwd"):
    for look in (lambda: os.open(path, os.O_RDONLY, dir_fd=descriptor), lambda: os.stat(path, dir_fd=descriptor), lambda: open("door/" + path)):
        try:
            look()
        except (OSError, NotImplementedError):
            continue
        raise AssertionError(f"{path} is visible")
print("ok")
