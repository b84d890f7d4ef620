#: promise = "A job that closes all its descriptors, those of its folders too, ends without harm to others"
#: wall_clock_ms = 2000
#: outcome = ["completed", "crashed"]
#: stdout_has = ["before"]
import os

print("before", flush=True)
for descriptor in range(51):
    try:
        os.close(descriptor)
    except OSError:
        pass
os.closerange(0, 1000)
for use in (lambda: print("after", flush=True), lambda: open("file", "w"), lambda: os.listdir("/"), lambda: __import__("this"), lambda: os.stat(".")):
    try:
        use()
    except (OSError, ImportError):
        pass
