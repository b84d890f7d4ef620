#: promise = "A job that prints for ever is stopped at the deadline, and its output is bounded"
#: wall_clock_ms = 800
#: output_bytes = 65536
#: outcome = ["time_limit"]
#: stdout_has = ["begin"]
print("begin")
while True:
    print("x" * 10_000)
