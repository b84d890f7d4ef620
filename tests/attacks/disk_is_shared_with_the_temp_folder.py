#: promise = "The project folder and /tmp share one disk limit"
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

total = 0
for name in ("/tmp/big.bin", "big.bin", "/tmp/more.bin"):
    try:
        with open(name, "wb", buffering=0) as file:
            while total < 10**8:
                total += file.write(bytes(50_000))
    except OSError:
        pass
assert 3 * 2**20 <= total <= 4 * 2**20, total
os.remove("/tmp/big.bin")
with open("after.bin", "wb") as file:
    file.write(bytes(2**20))
print("ok")
