#: promise = "Loading deep and random marshal data raises Python exceptions or harms the job only"
#: outcome = ["completed", "crashed", "time_limit", "stack_overflow", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import marshal
import random

random.seed(7)
deep = b"(\x01\x00\x00\x00" * 10**5 + b"N"
noise = [bytes([random.choice(b"([{<rdsucli")]) + random.randbytes(20) for _ in range(3000)]
for text in [deep, b"[\x01\x00\x00\x00" * 10**5, *noise]:
    try:
        marshal.loads(text)
    except (Exception, MemoryError):
        pass
print("ok")
