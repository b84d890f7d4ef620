#: promise = "Opening '..' again and again, each time relative to the last, never leaves the job's folders"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

descriptor = os.open(".", os.O_RDONLY | os.O_DIRECTORY)
for _ in range(20):
    try:
        descriptor = os.open("..", os.O_RDONLY | os.O_DIRECTORY, dir_fd=descriptor)
        names = set(os.listdir(descriptor))
    except (OSError, NotImplementedError, TypeError):
        break
    assert not names & {"etc", "root", "home", "var", "boot", "bin"}, names
    for path in ("etc/passwd", "proc/self/environ", "root", "home"):
        try:
            os.open(path, os.O_RDONLY, dir_fd=descriptor)
        except OSError:
            continue
        raise AssertionError(f"{path} is visible")
print("ok")
