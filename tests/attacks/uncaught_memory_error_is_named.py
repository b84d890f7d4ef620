#: promise = "A job that dies of MemoryError says so"
#: outcome = ["memory_limit", "completed"]
#: exit_code = 1
#: stdout_has = ["before"]
#: stderr_has = ["MemoryError"]
print("before")
blocks = []
while True:
    blocks.append(bytearray(10 * 2**20))
