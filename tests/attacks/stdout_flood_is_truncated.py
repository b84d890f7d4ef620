#: promise = "A job that prints megabytes completes, and the head and the tail of its output are kept"
#: wall_clock_ms = 20000
#: output_bytes = 65536
#: outcome = ["completed"]
#: exit_code = 0
#: stdout_has = ["the first line\n", "the last line\n"]
print("the first line")
for number in range(200_000):
    print("flood", number, "x" * 50)
print("the last line")
