#: promise = "A path whose links unfold into ever more names costs a bounded number of look-ups"
#: wall_clock_ms = 3000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import os

os.mkdir("a")
os.symlink("a/../" * 600 + "a", "l0")
for number in range(1, 38):
    os.symlink((f"l{number - 1}/../" * 400)[:3900] + "a", f"l{number}")
os.symlink("loop", "loop")
for path in ("l37", "l37/../l36", "loop", "a/../" * 700):
    for _ in range(3):
        try:
            os.stat(path)
        except OSError as error:
            assert error.errno in (errno.ELOOP, errno.ENOENT, errno.ENAMETOOLONG), error
print("ok")
