#: promise = "A file that was deleted first and written afterwards stops at the size of the disk"
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os
import tempfile

total = 0
with tempfile.TemporaryFile(buffering=0) as file:
    try:
        while total < 10**8:
            total += file.write(bytes(100_000))
    except OSError:
        pass
    assert total <= 5 * 2**20, f"{total} bytes went into a deleted file"
print("ok")
