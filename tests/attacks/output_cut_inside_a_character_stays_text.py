#: promise = "Output of multi-byte characters stays valid text where it is cut"
#: output_bytes = 65536
#: outcome = ["completed"]
#: exit_code = 0
#: stdout_has = ["a€😀é", "the end\n"]
import sys

sys.stdout.write("a€😀é")
for _ in range(50_000):
    sys.stdout.write("€😀é")
print("the end")
