#: promise = "Growing many files by truncate is counted like writing them"
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import os

total = 0
try:
    for number in range(100):
        with open(f"file{number}", "wb") as file:
            file.truncate(2**20)
        total += os.path.getsize(f"file{number}")
except OSError as error:
    assert error.errno in (errno.ENOSPC, errno.EFBIG), error
assert 2 * 2**20 <= total <= 4 * 2**20, total
print("ok")
