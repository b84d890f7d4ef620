#: promise = "Calling every function of every built-in module with nonsense harms the job only"
#: wall_clock_ms = 5000
#: outcome = ["completed", "crashed", "time_limit", "stack_overflow", "memory_limit"]
#: stdout_has = ["before"]
import itertools
import sys

print("before", flush=True)
skip = {"_exit", "abort", "exit", "breakpoint", "input", "sleep", "_sigsegv", "_sigabrt", "_sigfpe", "_fatal_error"}
skip |= {"_fatal_error_c_thread", "_read_null", "_stack_overflow"}
nonsense = [None, -1, 0, 2**31, 2**64, "x", b"\xff", (), [], {}, object, print, 1.5]
for module_name in sorted(sys.builtin_module_names):
    try:
        module = __import__(module_name)
    except BaseException:
        continue
    for name, function in sorted(vars(module).items(), key=str):
        if not callable(function) or name in skip:
            continue
        for arguments in itertools.chain([()], ((one,) for one in nonsense), itertools.product(nonsense[1:8], repeat=2), [(0, 2**31, -1)]):
            try:
                function(*arguments)
            except BaseException:
                pass
