import sys

REQUIRED = ["host", "port", "user"]
settings = {"host": "localhost"}
missing = [k for k in REQUIRED if k not in settings]
print("missing:", missing)
try:
    sys.exit("inner message")
except SystemExit as e:
    print("caught", repr(e.code), e.args)
if missing:
    sys.exit("fatal: missing settings: " + ", ".join(missing))
print("unreachable")
