import atexit
import sys

atexit.register(print, "atexit ran")
for value in (None, 0, True, False, (1, 2), 2.5, ""):
    try:
        sys.exit(value)
    except SystemExit as e:
        print(repr(e.code), e.args, repr(e))
try:
    raise SystemExit
except SystemExit as e:
    print(e.code, e.args)
print("leaving")
sys.exit(None)
