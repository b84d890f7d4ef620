#: promise = "Folders count as files"
#: files = 100
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import os

made = 0
try:
    for number in range(1000):
        os.mkdir(f"folder{number}")
        made += 1
except OSError as error:
    assert error.errno in (errno.ENOSPC, errno.EDQUOT), error
assert 90 <= made <= 100, made
os.rmdir("folder0")
os.mkdir("again")
print("ok")
