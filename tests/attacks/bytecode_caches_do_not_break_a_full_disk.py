#: promise = "Importing from a project folder on a full disk works"
#: disk_mb = 2
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import sys

for number in range(5):
    with open(f"module{number}.py", "w") as file:
        file.write(f"value = {number}\n")
try:
    with open("big.bin", "wb", buffering=0) as file:
        while file.tell() < 10**8:
            file.write(bytes(1000))
except OSError:
    pass
sys.path.insert(0, ".")
assert sum(__import__(f"module{number}").value for number in range(5)) == 10
print("ok")
