#: promise = "A job that breaks every built-in function still ends, and no other job notices"
#: outcome = ["completed", "crashed", "time_limit"]
#: stdout_has = ["before"]
import builtins
import json
import os
import random
import sys

print("before", flush=True)
with open("/tmp/left_by_an_earlier_job", "w") as file:
    file.write("poison")
os.environ["LEFT_BY_AN_EARLIER_JOB"] = "1"
sys.left_by_an_earlier_job = json.left_by_an_earlier_job = builtins.left_by_an_earlier_job = True
json.dumps = random.random = os.urandom = lambda *_: "poison"
sys.setrecursionlimit(60)
for name in list(vars(builtins)):
    setattr(builtins, name, None)
