#: promise = "Reading and writing raw addresses is refused or harms the job only"
#: wall_clock_ms = 2000
#: outcome = ["completed", "crashed"]
#: stdout_has = ["before"]
print("before", flush=True)
try:
    import ctypes

    for address in (0, 8, 4096, 2**20, 2**31, 2**32 - 1, 2**63):
        for use in (lambda: ctypes.string_at(address, 16), lambda: ctypes.memset(address, 255, 10**6), lambda: ctypes.memmove(address, address + 1, 2**30)):
            try:
                use()
            except Exception:
                pass
except ImportError:
    pass
