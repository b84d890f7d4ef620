"""Makes modules of the arguments of `python3 -c`, and calls `main` of the last.

They are the source of `figures.py`; for each module its name and its source, after those that it imports; `--`; and the
modules to import before the job comes. All of it needs Python 3.10 and nothing but its standard library.
"""
import sys

FRESH = frozenset(sys.modules)  # what `python main.py` has imported, too

FIGURES_SOURCE, *others = sys.argv[1:]
end = others.index("--")
PRELOAD = others[end + 1 :]

sys.modules["load"] = sys.modules["__main__"]
for name, source in zip(others[:end:2], others[1:end:2]):
    module = sys.modules[name] = type(sys)(name)
    exec(compile(source, f"<pyexec {name}>", "exec"), vars(module))
# A job has none of them.
for name in ("load", *others[:end:2]):
    del sys.modules[name]
module.main()
