#: promise = "signal.alarm and setitimer are missing, fail, or do what they promise"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import signal
import time


class Fired(Exception):
    pass


def fire(*_):
    raise Fired


for name, argument in (("setitimer", (0, 0.05)), ("alarm", (1,))):
    try:
        signal.signal(signal.SIGALRM, fire)
        getattr(signal, name)(*argument)
    except (OSError, AttributeError, ValueError, NotImplementedError):
        continue
    try:
        time.sleep(2)
    except Fired:
        continue
    raise AssertionError(f"signal.{name} was accepted and never fired")
print("ok")
