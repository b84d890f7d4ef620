#: promise = "Loading deep, truncated and nonsensical pickles raises Python exceptions"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import pickle
import random

random.seed(7)
deep = b"]" * 10**5 + b"a" * (10**5 - 1) + b"."
sizes = [b"\x8e" + b"\xff" * 7 + b"\x7f", b"B\xff\xff\xff\x7f", b"X\xff\xff\xff\xff", b"r\xff\xff\xff\x7f", b"j\xff\xff\xff\xff"]
noise = [bytes(random.choices(b"(.0]}ajhRbcosu)\x80\x85\x86\x87\x88\x8c\x8f\x90\x94", k=50)) for _ in range(3000)]
for text in [deep, b"(" * 10**5, *sizes, *noise]:
    try:
        pickle.loads(text)
    except (Exception, MemoryError):
        pass
print("ok")
