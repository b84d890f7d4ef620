#: promise = "Folders nested a thousand deep can be made or are refused, and the job can remove what it made"
#: wall_clock_ms = 20000
#: files = 2000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os
import shutil

start = os.getcwd()
os.mkdir("deep")
os.chdir("deep")
try:
    for _ in range(1000):
        os.mkdir("d")
        os.chdir("d")
except OSError:
    pass
os.chdir(start)
try:
    sum(1 for _ in os.walk("deep"))
    shutil.rmtree("deep")
except (OSError, RecursionError):
    pass
open("still.txt", "w").close()
print("ok")
