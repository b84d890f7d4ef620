import io
import sys

print("line one")
sys.stdout.write("no newline")
sys.stdout.write("\n")
old = sys.stdout
sys.stdout = io.StringIO()
print("captured")
captured, sys.stdout = sys.stdout.getvalue(), old
print(repr(captured))
sys.stdout.flush()
sys.stderr.write("about to close stdout\n")
sys.stdout.close()
try:
    print("into closed stream")
except ValueError as e:
    sys.stderr.write(f"ValueError: {e}\n")
sys.exit(12)
