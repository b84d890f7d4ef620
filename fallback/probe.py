"""Says what this image has, in words that any Python prints: version, machine and C library."""

import json
import os
import platform
import sys

try:
    libc = os.confstr("CS_GNU_LIBC_VERSION") or "musl"
except (AttributeError, OSError, ValueError):
    libc = "musl"
print(json.dumps({"python": "%d.%d" % sys.version_info[:2], "machine": platform.machine(), "libc": libc}))
