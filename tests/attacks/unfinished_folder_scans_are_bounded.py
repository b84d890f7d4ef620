#: promise = "Twenty thousand folder scans that are begun and never ended fail cleanly or succeed"
#: wall_clock_ms = 30000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import os
import warnings

warnings.simplefilter("ignore")
open("one.txt", "w").close()
held = []
try:
    for _ in range(20_000):
        scan = os.scandir(".")
        next(scan)
        held.append(scan)
except OSError:
    pass
for scan in held:
    scan.close()
assert "one.txt" in os.listdir(".")
print("ok")
