#: promise = "A path that is too long is refused, and never cut and used"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import os

open("f", "w").close()
long = "./" * 2100 + "f"
for call in (lambda: os.chmod(long, 0o777), lambda: open(long), lambda: os.stat(long), lambda: os.symlink(long, "x"),
             lambda: os.rename(long, "y"), lambda: os.unlink(long)):
    try:
        call()
        raise SystemExit("taken")
    except OSError as error:
        assert error.errno == errno.ENAMETOOLONG, error
assert os.stat("f").st_mode & 0o777 == 0o644
print("ok")
