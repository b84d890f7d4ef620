#: promise = "What a job printed before its deadline is in the result, although nobody flushed it"
#: wall_clock_ms = 500
#: outcome = ["time_limit"]
#: stdout_has = ["partial line", "unfinished"]
print("partial line")
print("unfinished", end="")
while True:
    pass
