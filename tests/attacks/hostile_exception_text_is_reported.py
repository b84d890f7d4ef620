#: promise = "An exception whose message is huge, broken or full of control characters is reported"
#: outcome = ["completed"]
#: exit_code = 1
#: stdout = "before\n"
#: stderr_has = ["Traceback"]
print("before")
raise ValueError("\ud800\0\x1b[2J\xff\u202e" + "x" * 10**6)
