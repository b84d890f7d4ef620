import importlib
import importlib.util
import os
import sys

FILES = {
    "shapes/__init__.py": "from .square import area\n__all__ = ['area', 'circle']\nprint('init', __name__, __package__)\n",
    "shapes/square.py": "print('loading', __name__)\ndef area(s): return s * s\n",
    "shapes/circle.py": "from math import pi\nfrom . import square\nfrom .square import area as sq\ndef area(r): return round(pi * sq(r), 3)\n",
    "broken.py": "x = 1\nraise RuntimeError('broken import')\n",
    "syntaxbad.py": "def f(:\n",
    "cyc_a.py": "import cyc_b\nvalue = 'A'\n",
    "cyc_b.py": "from cyc_a import value\n",
    "nspkg/mod.py": "where = __name__\n",
    "counter.py": "try:\n    n += 1\nexcept NameError:\n    n = 1\n",
    "lazy.py": "def __getattr__(name):\n    if name.startswith('dyn_'):\n        return name[4:]\n    raise AttributeError(name)\n",
}
for path, text in FILES.items():
    os.makedirs(os.path.dirname(path) or ".", exist_ok=True)
    with open(path, "w") as fh:
        fh.write(text)
sys.path.insert(0, os.getcwd())
importlib.invalidate_caches()

import shapes
print(shapes.area(4), hasattr(shapes, "circle"), shapes.__path__ == [os.path.join(os.getcwd(), "shapes")])
from shapes import *
print(circle.area(2), importlib.import_module(".square", "shapes").__name__)
for name in ("broken", "syntaxbad", "cyc_a", "nothere", "shapes.nothere"):
    try:
        importlib.import_module(name)
    except Exception as e:
        print(name, type(e).__name__, str(e).split(" (")[0], "|", name in sys.modules)
import nspkg.mod
print(nspkg.mod.where, nspkg.__file__, type(nspkg.__path__).__name__)
import counter
print(counter.n, importlib.reload(counter).n, counter.n)
import lazy
print(lazy.dyn_hello, getattr(lazy, "other", "default"))
spec = importlib.util.find_spec("shapes.circle")
print(spec.name, spec.parent, os.path.basename(spec.origin), spec.submodule_search_locations, importlib.util.find_spec("zzz"))
spec = importlib.util.spec_from_file_location("alias_name", "shapes/square.py")
mod = importlib.util.module_from_spec(spec)
spec.loader.exec_module(mod)
print(mod.__name__, mod.area(3), "alias_name" in sys.modules, sorted(m for m in sys.modules if m.startswith("shapes")))
print(__import__("shapes.circle").__name__, importlib.util.resolve_name("..x", "a.b.c"))
