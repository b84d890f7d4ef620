#: promise = "Built-ins, modules, environment and files are untouched by whatever ran before"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import builtins
import json
import os
import random
import sys
import tempfile

for place in (builtins, sys, json):
    assert not hasattr(place, "left_by_an_earlier_job"), place
assert "LEFT_BY_AN_EARLIER_JOB" not in os.environ
assert os.listdir("/tmp") == [], os.listdir("/tmp")
assert len(os.listdir(".")) <= 2, os.listdir(".")
assert json.dumps([1, "a"]) == '[1, "a"]'
assert isinstance(random.random(), float)
assert sys.getrecursionlimit() == 1000
assert sys.gettrace() is None and sys.getprofile() is None
assert sys.stdout is sys.__stdout__ and sys.excepthook is sys.__excepthook__
assert tempfile.gettempdir() == "/tmp"
print("ok")
