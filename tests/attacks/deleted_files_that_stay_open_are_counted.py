#: promise = "Deleting files and keeping them open does not get a job more disk than it has"
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

held = []
total = 0
try:
    for _ in range(50):
        held.append(os.open("ghost.bin", os.O_CREAT | os.O_EXCL | os.O_RDWR))
        for _ in range(10):
            total += os.write(held[-1], bytes(100_000))
        os.remove("ghost.bin")
except OSError:
    pass
assert total <= 5 * 2**20, f"{total} bytes are held by deleted files"
print("ok")
