#: promise = "copy.deepcopy of a deep object raises RecursionError"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import copy

deep = []
for _ in range(10**5):
    deep = [deep]
try:
    copy.deepcopy(deep)
except RecursionError:
    print("ok")
