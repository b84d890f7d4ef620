#: promise = "A job that closes its own stdout and prints gets a Python exception"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "before\n"
#: stderr_has = ["I/O operation on closed file"]
import sys

print("before")
sys.stdout.close()
try:
    print("after")
except ValueError as error:
    print(error, file=sys.stderr)
