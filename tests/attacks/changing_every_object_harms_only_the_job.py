#: promise = "Overwriting the attributes of every live object with nonsense harms the job only"
#: wall_clock_ms = 3000
#: outcome = ["completed", "crashed", "time_limit", "stack_overflow", "memory_limit"]
#: stdout_has = ["before"]
import gc

print("before", flush=True)
for thing in gc.get_objects():
    for name in ("__class__", "__dict__", "__code__", "__bases__", "__defaults__", "__call__", "write", "flush", "__del__"):
        try:
            setattr(thing, name, thing)
        except BaseException:
            pass
