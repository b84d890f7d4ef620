#: promise = "A file that is replaced by a rename no longer counts"
#: wall_clock_ms = 10000
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

for replace in (os.replace, os.rename):
    for _ in range(30):
        with open("new.bin", "wb") as file:
            file.write(bytes(1_500_000))
        replace("new.bin", "kept.bin")
assert os.path.getsize("kept.bin") == 1_500_000
print("ok")
