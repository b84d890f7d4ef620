#: promise = "An exception hook may replace the report, and the job still exits with 1"
#: outcome = ["completed"]
#: exit_code = 1
#: stdout = "hooked ZeroDivisionError\n"
import sys

sys.excepthook = lambda kind, value, trace: print("hooked", kind.__name__)
1 / 0
