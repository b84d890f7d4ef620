#: promise = "Asking for gigabytes of random bytes raises a Python exception, and a sane amount still works"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os
import random
import secrets

for size in (2**29, 2**31 - 1, 2**31, 2**32, 2**63 - 1, -1):
    for make in (os.urandom, random.randbytes, secrets.token_bytes):
        try:
            make(size)
        except (OSError, MemoryError, OverflowError, ValueError):
            continue
        raise AssertionError(f"{size} bytes were made")
assert len(set(os.urandom(2**20))) == 256
print("ok")
