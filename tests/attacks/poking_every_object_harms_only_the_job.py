#: promise = "Clearing every container the garbage collector knows harms the job only"
#: wall_clock_ms = 3000
#: outcome = ["completed", "crashed", "time_limit", "stack_overflow"]
#: stdout_has = ["before"]
import gc

print("before", flush=True)
for thing in gc.get_objects():
    try:
        thing.clear()
    except BaseException:
        pass
