#: promise = "os.abort ends the job as a shell tells of it, and what it flushed is kept"
#: outcome = ["completed"]
#: exit_code = 134
#: stdout = "before\n"
import os

print("before", flush=True)
os.abort()
