#: promise = "The project folder, /tmp and the standard library cannot be moved or replaced"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

os.mkdir("mine")
moves = [("/usr/lib/python3.14", "mine/lib"), ("mine", "/usr/lib/python3.14"), ("mine", "/tmp/../mine")]
moves += [(".", "mine/sub"), ("mine", "mine/sub"), ("mine", "../mine")]
for source, target in moves:
    for rename in (os.rename, os.replace):
        try:
            rename(source, target)
        except OSError:
            continue
        raise AssertionError(f"{source} became {target}")
assert os.path.isdir("mine")
assert os.path.exists("/usr/lib/python3.14/this.py")
print("ok")
