#: promise = "Renames of a file onto itself or between its own links do not create free space"
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

with open("a", "wb") as file:
    file.write(bytes(3 * 2**20))
for _ in range(50):
    os.rename("a", "a")
    os.rename("./a", "a")
    try:
        os.link("a", "b")
        os.rename("a", "b")
        os.remove("b")
    except OSError:
        pass
try:
    with open("c", "wb", buffering=0) as file:
        while file.tell() < 10**8:
            file.write(bytes(10_000))
except OSError:
    pass
total = sum(entry.stat().st_size for entry in os.scandir("."))
assert total <= 4 * 2**20, total
print("ok")
