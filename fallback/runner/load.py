"""Makes modules of the arguments of `python3 -c`, and calls `main` of the last.

They are the source of `figures.py`; for each module its name and its source, after those that it imports; `-` and those that
only sessions have; `--`; and the modules to import before the job comes. All of it needs Python 3.10 and nothing but its
standard library.
"""
import sys

FRESH = frozenset(sys.modules)  # what `python main.py` has imported, too

FIGURES_SOURCE, *others = sys.argv[1:]
middle, end = others.index("-"), others.index("--")
LATER = dict(zip(others[middle + 1 : end : 2], others[middle + 2 : end : 2]))
PRELOAD = others[end + 1 :]

ours = {"load": sys.modules["__main__"]}


def make(sources):
    """Makes modules, and returns the last. None is left where a job would find it."""
    hidden = {name: sys.modules.pop(name) for name in (*ours, *sources) if name in sys.modules}
    sys.modules.update(ours)
    for name, source in sources.items():
        ours[name] = sys.modules[name] = module = type(sys)(name)
        exec(compile(source, f"<pyexec {name}>", "exec"), vars(module))
    for name in ours:
        del sys.modules[name]
    sys.modules.update(hidden)
    return module


def make_later(*names):
    """Makes modules that only sessions have, and returns the last."""
    return make({name: LATER[name] for name in names})


make(dict(zip(others[:middle:2], others[1:middle:2]))).main()
