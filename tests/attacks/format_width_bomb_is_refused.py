#: promise = "A format string that asks for gigabytes of padding raises a Python exception"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import struct

attempts = {
    "percent": lambda: "%2000000000d" % 1,
    "star": lambda: "%*d" % (2**31 - 1, 1),
    "format": lambda: format(1, "2000000000d"),
    "float": lambda: format(1.5, ".2000000000f"),
    "bytes": lambda: b"%2000000000d" % 1,
    "struct": lambda: struct.pack("2000000000x"),
    "replace": lambda: ("a" * 10**5).replace("a", "b" * 10**5),
    "join": lambda: ("x" * 10**6).join("y" * 10**4),
    "expandtabs": lambda: ("\t" * 1000).expandtabs(10**7),
    "translate": lambda: ("a" * 10**5).translate({97: "b" * 10**5}),
}
for name, attempt in attempts.items():
    try:
        attempt()
    except (MemoryError, OverflowError, ValueError, struct.error):
        continue
    raise AssertionError(f"{name} was allowed")
print("ok")
