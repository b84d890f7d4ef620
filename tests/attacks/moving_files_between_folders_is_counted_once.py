#: promise = "Moving a file between the project and /tmp, by rename or by copy, keeps the account right"
#: wall_clock_ms = 10000
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import shutil

with open("here.bin", "wb") as file:
    file.write(bytes(1_500_000))
for _ in range(20):
    shutil.move("here.bin", "/tmp/there.bin")
    shutil.move("/tmp/there.bin", "here.bin")
with open("more.bin", "wb") as file:
    file.write(bytes(1_500_000))
print("ok")
