#: promise = "Time spent in the host listing counts as well"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]

import os
for i in range(900):
    open(f"file-{i}", "w").close()
while True:
    with os.scandir(".") as items:
        next(items)
