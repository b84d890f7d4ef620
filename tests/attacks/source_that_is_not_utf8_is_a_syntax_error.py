#: promise = "Importing source with wrong bytes, NULs or a lying encoding raises a Python exception"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import importlib
import sys

sources = [b"x = '\xff'", b"x = 1\0", b"# coding: no-such-codec\nx = 1", b"# coding: utf-16\nx = 1"]
sources += [b"\xff\xfex\0=\x001\0", b"# coding: rot13\nk = 1", b"# coding: hex\n61"]
sys.path.insert(0, ".")
for number, source in enumerate(sources):
    with open(f"source{number}.py", "wb") as file:
        file.write(source)
importlib.invalidate_caches()
for number in range(len(sources)):
    try:
        __import__(f"source{number}")
    except (SyntaxError, ValueError, LookupError):
        continue
    raise AssertionError(f"{sources[number]} was imported")
print("ok")
