#: promise = "os.abort ends the job as crashed, and what it flushed is kept"
#: outcome = ["crashed"]
#: stdout_has = ["before"]
import os

print("before", flush=True)
os.abort()
