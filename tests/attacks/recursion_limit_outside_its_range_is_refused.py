#: promise = "A recursion limit that makes no sense raises a Python exception"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import sys

for limit in (0, -1, 2**31, 2**63, 2**64, -(2**31) - 1):
    try:
        sys.setrecursionlimit(limit)
    except (ValueError, OverflowError):
        continue
    raise AssertionError(f"a limit of {limit} was accepted")
sys.setrecursionlimit(10**9)
assert sys.getrecursionlimit() == 10**9
print("ok")
