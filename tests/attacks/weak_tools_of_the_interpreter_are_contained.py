#: promise = "Audit hooks, tracing switches and thread settings with strange values harm the job only"
#: wall_clock_ms = 3000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import sys
import threading

for use in (
    lambda: sys.setswitchinterval(1e-300),
    lambda: sys.setswitchinterval(10**300),
    lambda: sys.setdlopenflags(-1),
    lambda: sys.set_coroutine_origin_tracking_depth(2**30),
    lambda: sys.activate_stack_trampoline("perf"),
    lambda: sys.remote_exec(2**30, "/etc/passwd"),
    lambda: sys._clear_internal_caches(),
    lambda: threading.stack_size(2**30),
    lambda: threading.stack_size(0),
    lambda: sys.monitoring.use_tool_id(5, "x" * 10**6),
    lambda: sys.addaudithook(lambda event, arguments: None),
    lambda: sys._current_frames(),
    lambda: sys._debugmallocstats(),
):
    try:
        use()
    except (AttributeError, ValueError, RuntimeError, OverflowError, OSError, TypeError):
        pass
print("ok")
