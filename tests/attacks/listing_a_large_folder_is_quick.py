#: promise = "A folder with 2,000 names can be listed and walked many times within the deadline"
#: wall_clock_ms = 10000
#: files = 3000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

os.mkdir("many")
for number in range(2000):
    open(f"many/file{number:04}", "w").close()
for _ in range(20):
    assert len(os.listdir("many")) == 2000
assert sorted(entry.name for entry in os.scandir("many"))[-1] == "file1999"
print("ok")
