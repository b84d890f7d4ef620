import json
import sys

try:
    import nonexistent_module_xyz
except ImportError as e:
    print(type(e).__name__, e, e.name)
try:
    from json import dumpz
except ImportError as e:
    print(type(e).__name__, str(e).split(" (")[0])
try:
    import json.nothing
except ModuleNotFoundError as e:
    print(e)
print(json.dumps(sorted(m for m in ("json", "csvv") if m in sys.modules)))
import sklearn_like_package.submodule
