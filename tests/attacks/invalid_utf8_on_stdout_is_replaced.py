#: promise = "Bytes on stdout that are not UTF-8 do not break the result"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout_has = ["before", "after"]
import sys

out = sys.stdout.buffer
out.write(b"before\n")
bad_bytes = [b"\xff\xfe", b"\x80", b"\xc0\x80", b"\xc3", b"\xe2\x82", b"\xf0\x9f\x98", b"\xed\xa0\x80", b"\xed\xb0\x80", b"\xf5\x80\x80\x80", b"\xf8\x88\x80"]
for bad in bad_bytes:
    out.write(bad + b"\n" + bad)
out.write(bytes(range(256)) * 3)
out.write(b"\nafter\n\xe2\x82")
