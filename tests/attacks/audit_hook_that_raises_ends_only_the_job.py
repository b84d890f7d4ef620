#: promise = "An audit hook that refuses everything makes the job fail and nothing else"
#: wall_clock_ms = 2000
#: outcome = ["completed", "crashed", "time_limit"]
#: stdout_has = ["before"]
import sys

print("before", flush=True)


def hook(event, arguments):
    raise RuntimeError(event)


sys.addaudithook(hook)
open("file", "w")
