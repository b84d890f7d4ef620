#: promise = "Pickling a deep object raises RecursionError or ends in a named limit"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import pickle

deep = []
for _ in range(10**5):
    deep = [deep]
for dumps in (pickle.dumps, pickle._dumps):
    try:
        dumps(deep)
    except RecursionError:
        continue
    raise AssertionError("the object was pickled")
print("ok")
