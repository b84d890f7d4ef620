#: promise = "Opening with 'w' and truncating to a smaller size give the space back"
#: wall_clock_ms = 10000
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

for round in range(20):
    with open("big.bin", "wb") as file:
        file.write(bytes(3 * 2**20))
    if round % 2:
        os.truncate("big.bin", 10)
        with open("second.bin", "wb") as file:
            file.write(bytes(3 * 2**20))
        os.remove("second.bin")
print("ok")
