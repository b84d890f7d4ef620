import signal
import sys


def work():
    for i in range(5):
        print("working", i)
        if i == 2:
            raise KeyboardInterrupt


try:
    work()
except Exception:
    print("not reached: KeyboardInterrupt is a BaseException")
except KeyboardInterrupt as e:
    print("interrupted", repr(e), isinstance(e, Exception))
finally:
    print("cleanup")
print(signal.Signals.SIGINT.value, signal.Signals.SIGINT.name)
sys.exit(130)
