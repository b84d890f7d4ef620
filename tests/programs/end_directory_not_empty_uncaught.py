import os
import errno

os.makedirs("cache/v1")
with open("cache/v1/item", "w") as fh:
    fh.write("1")
for attempt in ("cache/v1", "cache/v2"):
    try:
        os.rmdir(attempt)
    except OSError as e:
        print(attempt, type(e).__name__, errno.errorcode[e.errno], e.strerror)
os.remove("cache/v1/item")
os.rmdir("cache/v1")
print(os.listdir("cache"))
open("cache/keep", "w").close()
os.rmdir("cache")
