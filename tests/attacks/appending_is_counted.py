#: promise = "Appending in small pieces, through many descriptors, stops at the size of the disk"
#: wall_clock_ms = 10000
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

descriptors = [os.open("log.txt", os.O_CREAT | os.O_APPEND | os.O_WRONLY) for _ in range(20)]
try:
    for round in range(10**5):
        os.write(descriptors[round % 20], bytes(10_000))
except OSError:
    pass
size = os.path.getsize("log.txt")
assert 3 * 2**20 <= size <= 4 * 2**20, size
print("ok")
