#: promise = "faulthandler dumps a traceback, and what it cannot do raises a Python exception"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import faulthandler
import sys

for use in (
    lambda: faulthandler.enable(),
    lambda: faulthandler.dump_traceback(sys.__stderr__),
    lambda: faulthandler.dump_traceback(sys.__stderr__.fileno(), all_threads=False),
    lambda: faulthandler.dump_traceback(999),
    lambda: faulthandler.dump_traceback(-1),
    lambda: faulthandler.dump_traceback_later(10**6),
    lambda: faulthandler.cancel_dump_traceback_later(),
    lambda: faulthandler.register(10),
    lambda: faulthandler.disable(),
):
    try:
        use()
    except (OSError, ValueError, RuntimeError, AttributeError, TypeError):
        pass
print("ok")
