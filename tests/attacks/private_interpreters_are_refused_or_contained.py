#: promise = "Subinterpreters are refused or run inside the same limits"
#: wall_clock_ms = 2000
#: outcome = ["completed", "crashed", "time_limit", "memory_limit"]
#: stdout_has = ["before"]
print("before", flush=True)
try:
    from concurrent import interpreters

    for _ in range(3):
        interpreters.create().exec("while True: pass")
except (ImportError, RuntimeError, OSError, MemoryError):
    pass
