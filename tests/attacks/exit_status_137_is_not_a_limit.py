#: promise = "A job that chooses the exit status of a killed process is not reported as killed"
#: outcome = ["completed"]
#: exit_code = 137
#: stdout = "before\n"
import sys

print("before")
sys.exit(137)
