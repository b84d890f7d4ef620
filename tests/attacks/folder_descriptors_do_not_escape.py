#: promise = "Opening relative to a folder descriptor cannot leave the folders of the job"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

own = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
paths = ["../../etc/passwd", "../" * 30 + "etc/passwd", "/etc/passwd", "//etc/passwd", "./../../etc/passwd", "../etc/hostname"]
for descriptor in [own, *range(64)]:
    for path in paths:
        for look in (
            lambda: os.open(path, os.O_RDONLY, dir_fd=descriptor),
            lambda: os.stat(path, dir_fd=descriptor),
            lambda: os.readlink(path, dir_fd=descriptor),
            lambda: os.open("../escaped", os.O_CREAT | os.O_WRONLY, dir_fd=descriptor),
            lambda: os.mkdir("../escaped", dir_fd=descriptor),
            lambda: os.symlink("/", "../escaped", dir_fd=descriptor),
        ):
            try:
                look()
            except (OSError, NotImplementedError):
                continue
            raise AssertionError(f"{path} by descriptor {descriptor}")
print("ok")
