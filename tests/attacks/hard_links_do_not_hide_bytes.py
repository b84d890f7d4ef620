#: promise = "Removing one of two names of a file does not free its bytes"
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

total = 0
try:
    for number in range(50):
        with open("visible", "wb", buffering=0) as file:
            total += file.write(bytes(10**6))
        os.link("visible", f"hidden{number}")
        os.remove("visible")
except OSError:
    pass
held = sum(entry.stat().st_size for entry in os.scandir("."))
assert held <= 4 * 2**20, f"{held} bytes are held under second names"
print("ok")
