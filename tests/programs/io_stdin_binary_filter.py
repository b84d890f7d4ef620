# stdin:
#< key1=value one
#< key2=välue twö
#< # comment
#< malformed
#< key3 = spaced = twice
import sys
import zlib

raw = sys.stdin.buffer.read()
print(len(raw), zlib.crc32(raw), raw.count(b"\n"))
pairs = {}
for i, line in enumerate(raw.split(b"\n"), 1):
    if not line or line.startswith(b"#"):
        print(i, "skip", line)
        continue
    key, eq, value = line.partition(b"=")
    if not eq:
        print(i, "malformed", line)
        continue
    pairs[key.strip().decode()] = value.strip().decode("utf-8")
for k, v in pairs.items():
    print(f"{k:>6} -> {v!r} ({len(v)} chars, {len(v.encode())} bytes)")
sys.stdout.flush()
sys.stdout.buffer.write("bytes direct: é\n".encode())
sys.stdout.buffer.flush()
print(sys.stdout.write("chars\n"))
sys.stdout.writelines(["a\n", "b\n"])
print("no newline at end", end="")
print()
print("to stderr", file=sys.stderr)
print(sys.stdin.buffer.read(), sys.stdout.fileno(), sys.stderr.fileno())
