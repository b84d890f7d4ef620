#: promise = "A file that could not be created, and one that was replaced, do not count against the limit"
#: wall_clock_ms = 10000
#: files = 50
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

os.mkdir("folder")
open("kept", "w").close()
for number in range(300):
    for attempt in (lambda: open("kept", "x"), lambda: os.mkdir("folder"), lambda: open("missing/file", "w"), lambda: open("folder", "w")):
        try:
            attempt()
        except OSError:
            continue
        raise AssertionError("created")
    with open("new", "w") as file:
        file.write(str(number))
    os.replace("new", "kept")
    os.rmdir("folder")
    os.mkdir("folder")
for number in range(30):
    open(f"file{number}", "x").close()
print("ok")
