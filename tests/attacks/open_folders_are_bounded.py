#: promise = "A job cannot hold a hundred thousand open folders"
#: wall_clock_ms = 30000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

held = []
try:
    for _ in range(100_000):
        held.append(os.open(".", os.O_RDONLY | os.O_DIRECTORY))
except OSError:
    for descriptor in held:
        os.close(descriptor)
    os.listdir(".")
    print("ok")
