#: promise = "sys.exit with text prints it to stderr and exits with 1"
#: outcome = ["completed"]
#: exit_code = 1
#: stdout = "before\n"
#: stderr_has = ["goodbye"]
import sys

print("before")
sys.exit("goodbye")
