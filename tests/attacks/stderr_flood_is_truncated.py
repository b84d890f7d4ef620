#: promise = "A job that floods stderr completes, stderr is cut, and stdout is whole"
#: wall_clock_ms = 20000
#: output_bytes = 65536
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
#: stderr_has = ["the first line\n", "the last line\n"]
import sys

print("the first line", file=sys.stderr)
for number in range(100_000):
    print("flood", number, "x" * 50, file=sys.stderr)
print("the last line", file=sys.stderr)
print("ok")
