#: promise = "Descriptors of standard library files accept no write of any kind, and the file keeps its content"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

name = "/usr/lib/python3.14/this.py"
with open(name, "rb") as file:
    before = file.read()
assert before
descriptor = os.open(name, os.O_RDONLY)
for attempt in (
    lambda: os.write(descriptor, b"x"),
    lambda: os.pwrite(descriptor, b"x", 0),
    lambda: os.writev(descriptor, [b"x"]),
    lambda: os.ftruncate(descriptor, 0),
    lambda: os.posix_fallocate(descriptor, 0, 10**6),
):
    try:
        attempt()
    except (OSError, AttributeError):
        continue
    raise AssertionError("written")
with open(name, "rb") as file:
    assert file.read() == before
print("ok")
