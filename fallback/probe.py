"""Says what this image has, in words that any Python prints: version, machine, C library, and packages with versions."""

import json
import os
import platform
import sys

NAMES_BYTES_MAX = 40000


def packages():
    try:
        from importlib.metadata import distributions
    except ImportError:
        return {}
    found, size = {}, 0
    for one in distributions(path=["/environment"] + sys.path):
        try:
            name, version = one.metadata["Name"], one.version
        except Exception:  # a package whose files are broken is none
            continue
        if not isinstance(name, str) or not isinstance(version, str):
            continue
        size += len(json.dumps([name, version])) + 4
        if size > NAMES_BYTES_MAX:
            break
        found.setdefault(name, version)
    return found


try:
    libc = os.confstr("CS_GNU_LIBC_VERSION") or "musl"
except (AttributeError, OSError, ValueError):
    libc = "musl"
said = {"python": "%d.%d" % sys.version_info[:2], "machine": platform.machine(), "libc": libc, "packages": packages()}
print(json.dumps(said))
