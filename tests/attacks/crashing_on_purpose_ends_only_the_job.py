#: promise = "faulthandler's functions that crash Python end the job and nothing else"
#: wall_clock_ms = 2000
#: outcome = ["completed", "crashed", "stack_overflow"]
#: stdout_has = ["before"]
import faulthandler

print("before", flush=True)
for name, *arguments in (("_read_null",), ("_stack_overflow",), ("_sigsegv",), ("_sigabrt",), ("_fatal_error_c_thread",)):
    try:
        getattr(faulthandler, name)(*arguments)
    except (AttributeError, RuntimeError, OSError, RecursionError):
        pass
