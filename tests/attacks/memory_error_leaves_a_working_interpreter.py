#: promise = "After a hundred failed allocations Python still works"
#: wall_clock_ms = 20000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import json

caught = 0
for _ in range(100):
    try:
        bytearray(2**30)
    except MemoryError:
        caught += 1
    assert json.loads(json.dumps({"a": [1, 2.5, None]})) == {"a": [1, 2.5, None]}
assert caught == 100, caught
print("ok")
