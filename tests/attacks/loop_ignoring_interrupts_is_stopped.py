#: promise = "A job that ignores or handles every signal it can is still stopped at the deadline"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
import signal

for number in signal.Signals:
    for handler in (lambda *_: None, signal.SIG_IGN):
        try:
            signal.signal(number, handler)
        except (OSError, ValueError):
            pass
while True:
    pass
