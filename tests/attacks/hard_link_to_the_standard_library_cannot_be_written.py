#: promise = "A link or a rename does not make a standard library file writable"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

source = "/usr/lib/python3.14/this.py"
for bring in (os.link, os.symlink, os.rename, os.replace):
    try:
        bring(source, "mine.py")
    except OSError:
        continue
    for mode in ("r+", "a"):
        try:
            with open("mine.py", mode):
                pass
        except OSError:
            continue
        raise AssertionError(f"writable after {bring.__name__}")
    os.remove("mine.py")
print("ok")
