#: promise = "A sleep for a negative, infinite or undefined time raises a Python exception"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import time

for duration in (-1, float("nan"), float("inf"), float("-inf"), 10**30, -(10**30)):
    try:
        time.sleep(duration)
    except (ValueError, OverflowError):
        continue
    raise AssertionError(f"sleep({duration}) returned")
print("ok")
