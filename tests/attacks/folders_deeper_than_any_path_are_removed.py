#: promise = "Folders nested deeper than any path is long go with the job"
#: wall_clock_ms = 30000
#: files = 2000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

os.mkdir("r")
with open("r/f", "wb") as file:
    file.write(bytes(10 << 20))
for _ in range(1500):
    os.mkdir("x")
    os.rename("r", "x/r")
    os.rename("x", "r")
print("ok")
