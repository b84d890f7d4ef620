#: promise = "The standard library can be neither written, truncated, created in, renamed nor removed"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

folder = "/usr/lib/python3.14"
name = folder + "/this.py"
attempts = {
    "append": lambda: open(name, "a"),
    "update": lambda: open(name, "r+"),
    "create": lambda: open(folder + "/new.py", "x"),
    "create by number": lambda: os.open(folder + "/new.py", os.O_CREAT | os.O_WRONLY),
    "mkdir": lambda: os.mkdir(folder + "/new"),
    "link": lambda: os.link(name, folder + "/that.py"),
    "symlink": lambda: os.symlink("this.py", folder + "/that.py"),
    "rename": lambda: os.rename(name, folder + "/that.py"),
    "rename in": lambda: os.rename(__file__, folder + "/that.py"),
    "touch": lambda: os.utime(name, (0, 0)),
    "chmod": lambda: os.chmod(name, 0o777),
    "truncate": lambda: os.truncate(name, 0),
    "open to truncate": lambda: os.open(name, os.O_WRONLY | os.O_TRUNC),
    "read and truncate": lambda: os.write(os.open(name, os.O_RDONLY | os.O_TRUNC), b""),
    "remove": lambda: os.remove(name),
}
for what, attempt in attempts.items():
    try:
        attempt()
    except (OSError, AttributeError, NotImplementedError):
        continue
    raise AssertionError(f"{what} was allowed")
print("ok")
