#: promise = "Compiling regular expressions nested very deep raises a Python exception or ends in a named limit"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import re

for pattern in ("(" * 5000 + ")" * 5000, "(?:" * 10**4 + ")" * 10**4, "(?=" * 5000 + ")" * 5000, "(" * 10**4):
    try:
        re.compile(pattern)
    except (RecursionError, re.PatternError, OverflowError):
        continue
    raise AssertionError("the pattern was accepted")
print("ok")
