"""Puts packages in order, as root in a build container: every Python of the image finds them, with their bytecode.

Nothing of the packages runs.
"""
import compileall
import os
import py_compile
import re
import site
import sys

ENVIRONMENT = "/environment"
# Of the large packages half, and imported by nobody.
LEFT_OUT = re.compile(r"/tests?/")

folder = site.getsitepackages()[0]
# What the job requires comes before what the image happens to have, and after the standard library.
line = (
    f"import sys, site; n = len(sys.path); site.addsitedir({ENVIRONMENT!r}); new = sys.path[n:]; del sys.path[n:]; "
    f"at = sys.path.index({folder!r}) if {folder!r} in sys.path else n; sys.path[at:at] = new"
)
os.makedirs(folder, exist_ok=True)
with open(f"{folder}/pyexec-environment.pth", "w") as file:
    file.write(line + "\n")
try:
    compileall.compile_dir(
        ENVIRONMENT,
        quiet=2,
        workers=len(os.sched_getaffinity(0)),
        rx=LEFT_OUT,
        # Nobody changes the sources.
        invalidation_mode=py_compile.PycInvalidationMode.UNCHECKED_HASH,
    )
except Exception as error:
    print(f"not all packages have bytecode: {error!r}", file=sys.stderr)
