#: promise = "Signals cannot be sent to another process"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os
import signal

stranger = 2**30
for call in (
    lambda: os.kill(stranger, signal.SIGTERM),
    lambda: os.killpg(stranger, signal.SIGTERM),
    lambda: signal.pidfd_send_signal(10**6, signal.SIGTERM),
    lambda: os.kill(stranger, 0),
    lambda: os.tcsetpgrp(0, stranger),
    lambda: os.setpriority(0, stranger, 0),
    lambda: os.sched_setaffinity(stranger, {0}),
):
    try:
        call()
    except (OSError, AttributeError, NotImplementedError):
        continue
    raise AssertionError("allowed")
print("ok")
