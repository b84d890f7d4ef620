#: promise = "A job that has used up its CPU budget is stopped long before its deadline, and told so"
#: wall_clock_ms = 60000
#: fuel = 500000000
#: outcome = ["cpu_limit"]
#: stdout_has = ["started"]
print("started")
while True:
    pass
