#: promise = "Rewriting the same bytes for ever does not fill the disk"
#: wall_clock_ms = 10000
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

with open("same.bin", "wb") as file:
    file.write(bytes(3 * 2**20))
for _ in range(20):
    with open("same.bin", "r+b") as file:
        file.write(bytes(3 * 2**20))
    descriptor = os.open("same.bin", os.O_RDWR)
    os.pwrite(descriptor, bytes(10**6), 10**6)
    os.close(descriptor)
assert os.path.getsize("same.bin") == 3 * 2**20
print("ok")
