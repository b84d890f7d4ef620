#: promise = "A job that chooses the exit status of a timeout is not reported as one"
#: outcome = ["completed"]
#: exit_code = 124
#: stdout = "before\n"
import os

print("before", flush=True)
os._exit(124)
