#: promise = "An exception hook that itself raises is reported, and the job exits with 1"
#: outcome = ["completed"]
#: exit_code = 1
#: stderr_has = ["ZeroDivisionError", "KeyError"]
import sys


def hook(*_):
    raise KeyError("from the hook")


sys.excepthook = hook
1 / 0
