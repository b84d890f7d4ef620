#: promise = "A fatal error of the interpreter ends the job as crashed, and says so"
#: wall_clock_ms = 2000
#: outcome = ["crashed", "completed"]
#: stdout_has = ["before"]
import sys

print("before", flush=True)
try:
    import _testcapi

    _testcapi.fatal_error(b"on purpose")
except ImportError:
    import faulthandler

    getattr(faulthandler, "_sigabrt", sys.exit)()
