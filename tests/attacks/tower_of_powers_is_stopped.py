#: promise = "10**10**8 is stopped by time or by memory"
#: wall_clock_ms = 700
#: outcome = ["completed", "time_limit", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
base = 10
try:
    base**base**8
    base**base**base
except (MemoryError, OverflowError):
    print("ok")
