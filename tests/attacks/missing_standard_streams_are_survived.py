#: promise = "A job that removes sys.stdout, sys.stderr and their likes ends with its own status"
#: outcome = ["completed"]
#: exit_code = 6
import sys

sys.stdout = sys.__stdout__ = None
print("lost")
del sys.stderr, sys.__stderr__, sys.stdin
raise SystemExit(6)
