#: promise = "Creating more files than allowed raises ENOSPC, and deleting one makes room for one"
#: files = 100
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import os

made = []
try:
    for number in range(1000):
        open(f"file{number}", "x").close()
        made.append(f"file{number}")
except OSError as error:
    assert error.errno in (errno.ENOSPC, errno.EDQUOT), error
assert 90 <= len(made) <= 100, len(made)
for _ in range(10):
    os.remove(made.pop())
    open("again", "x").close()
    made.append("again")
    os.rename(made.pop(), "other")
    made.append("other")
print("ok")
