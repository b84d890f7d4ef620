#: promise = "breakpoint() without input ends instead of waiting"
#: outcome = ["completed"]
#: stdout_has = ["before"]
print("before")
breakpoint()
print("after")
