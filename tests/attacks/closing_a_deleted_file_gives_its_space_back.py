#: promise = "A deleted file stops counting when it is closed"
#: wall_clock_ms = 10000
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import tempfile

for _ in range(20):
    with tempfile.TemporaryFile() as file:
        file.write(bytes(3 * 2**20))
        file.flush()
print("ok")
