#: promise = "Each stream has its own limit"
#: output_bytes = 4096
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
#: stderr_has = ["x", "enough"]
import sys

sys.stderr.write("x" * 10**6)
sys.stderr.write("enough")
sys.stdout.write("ok\n")
