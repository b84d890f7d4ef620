#: promise = "A job that puts a file in place of its stdout loses its output into the file, within the limits"
#: wall_clock_ms = 5000
#: disk_mb = 4
#: outcome = ["completed", "crashed"]
#: stdout_has = ["before"]
import os

print("before", flush=True)
file = os.open("out.txt", os.O_CREAT | os.O_WRONLY)
try:
    os.dup2(file, 1)
    os.dup2(0, 2)
except (OSError, AttributeError):
    os.close(1)
    os.open("out.txt", os.O_WRONLY)
try:
    for _ in range(1000):
        os.write(1, bytes(10_000))
except OSError:
    pass
assert os.path.getsize("out.txt") <= 4 * 2**20
