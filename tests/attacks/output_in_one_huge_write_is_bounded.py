#: promise = "One write of a hundred megabytes to stdout is bounded like any other"
#: wall_clock_ms = 20000
#: output_bytes = 65536
#: outcome = ["completed"]
#: exit_code = 0
#: stdout_has = ["begin", "end\n"]
import sys

sys.stdout.write("begin")
block = "x" * (100 * 2**20)
sys.stdout.write(block)
print("end")
