#: promise = "A string that doubles for ever ends in MemoryError, or the job is stopped for its memory"
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
def grow():
    text = "é"
    while True:
        text += text


try:
    grow()
except (MemoryError, OverflowError):
    print("ok")
