#: promise = "The CPU budget is counted inside C calls as well"
#: wall_clock_ms = 60000
#: fuel = 500000000
#: outcome = ["cpu_limit"]
print(sum(range(10**12)))
