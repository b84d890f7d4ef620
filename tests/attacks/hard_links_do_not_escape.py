#: promise = "Hard links can be made neither to files outside nor to places outside"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

open("inside", "w").close()
for source in ("/etc/passwd", "../../etc/passwd", "../" * 20 + "etc/passwd", "/proc/self/exe", "/"):
    try:
        os.link(source, "stolen")
    except OSError:
        continue
    raise AssertionError(f"{source} was linked")
for target in ("../escaped", "/escaped", "../" * 20 + "escaped", "/usr/lib/python3.14/escaped.py"):
    try:
        os.link("inside", target)
    except OSError:
        continue
    raise AssertionError(f"{target} was made")
print("ok")
