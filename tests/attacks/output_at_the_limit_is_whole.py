#: promise = "Output of exactly the limit is not cut"
#: output_bytes = 4096
#: outcome = ["completed"]
#: exit_code = 0
#: stdout_has = ["first", "exactly at the limit\n"]
import sys

first, last = "first", "exactly at the limit\n"
sys.stdout.write(first + "x" * (4096 - len(first) - len(last)) + last)
