#: promise = "Without input, input() raises EOFError and reads return nothing, again and again"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os
import sys

for _ in range(3):
    try:
        input()
    except EOFError:
        pass
    else:
        raise AssertionError("input() returned")
    assert sys.stdin.read() == ""
    assert os.read(0, 100) == b""
print("ok")
