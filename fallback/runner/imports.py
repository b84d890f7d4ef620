"""Modules that are imported before the job comes, those that it misses, and what makes its figures."""
import atexit
import gc
import os
import sys

import _frozen_importlib
import _frozen_importlib_external

from frames import FIGURE, REPORT, send, tell
from load import FIGURES_SOURCE, FRESH
from project import WORK

FIGURES_MODULE = "_pyexec_figures"
FIGURES_MAX = 32
FIGURE_BYTES_MAX = 15 << 20
MISSING_MAX = 100


class Imports:
    """Imports modules before the job comes, and has them ready when it imports them: till then they are out of sight.

    Those of the standard library are seen, as they are in the other tier.
    """

    def __init__(self, report):
        self.report, self.send = report, send
        # What was imported with each module asked for, in that order.
        self.hidden = []
        # All that was imported here, with its names.
        self.kept = []
        # As the first, so that it is called after all that the job and its modules register.
        atexit.register(self.leave)

    def preload(self, modules):
        """The names, without what follows a dot, of all modules that came. Raises what an import raises."""
        first = frozenset(sys.modules)
        for name in modules:
            if _frozen_importlib_external.PathFinder.find_spec(top(name)) is None:
                continue
            before = frozenset(sys.modules)
            __import__(name)
            new = [name for name in sys.modules if name not in before and top(name) not in sys.stdlib_module_names]
            self.hidden.append({name: sys.modules[name] for name in new})
        self.kept += [(name, sys.modules[name]) for name in sys.modules if name not in FRESH]
        names = sorted({top(name) for name in sys.modules if name not in first})
        for group in self.hidden:
            for name in group:
                del sys.modules[name]
        for file in (sys.stdout, sys.stderr):
            file.flush()
        # It refers to itself, and what is frozen is no garbage: this lasts until the process ends.
        self.kept.append(("", self.kept))
        gc.freeze()
        return names

    def leave(self):
        """Taking them apart at the end, name by name, would take longer than most jobs."""
        for name, module in self.kept:
            if sys.modules.get(name) is module:
                del sys.modules[name]

    def find_spec(self, name, path=None, target=None):
        if name == "matplotlib.pyplot":
            self.figures().be_the_default()
        for count, group in enumerate(self.hidden, 1):
            if group.get(name) is not None:
                return _frozen_importlib.ModuleSpec(name, Shown(self, count, group[name]))
        return None

    def show(self, count):
        """They refer to each other, so that what was imported with it, or before, is seen as well."""
        for group in self.hidden[:count]:
            for name in group:
                sys.modules.setdefault(name, group[name])
            group.clear()

    def figures(self):
        """The module of `figures.py`."""
        module = sys.modules.get(FIGURES_MODULE)
        if module is None:
            module = type(sys)(FIGURES_MODULE)
            module.tell = FigureTeller(self)
            exec(compile(FIGURES_SOURCE, "<pyexec figures>", "exec"), vars(module))
            sys.modules[FIGURES_MODULE] = module
        return module


class Shown:
    """Loads a module that is there."""

    def __init__(self, imports, count, module):
        self.imports, self.count, self.module = imports, count, module
        self.spec = getattr(module, "__spec__", None)

    def create_module(self, spec):
        return self.module

    def exec_module(self, module):
        module.__spec__ = self.spec
        self.imports.show(self.count)


class MissingFinder:
    """Asked last: tells of modules that the job's own code imports and nobody found, which another attempt may have."""

    def __init__(self, report):
        self.report, self.told, self.pid = report, set(), os.getpid()

    def find_spec(self, name, path=None, target=None):
        if path is not None or name in self.told or len(self.told) >= MISSING_MAX or os.getpid() != self.pid:
            return None
        frame, asks = sys._getframe(1), False
        while frame is not None and "importlib" in frame.f_code.co_filename:
            # importlib.util's: who asks whether there is one goes on without.
            asks = asks or frame.f_code.co_name == "find_spec"
            frame = frame.f_back
        # Code without a file is the job's if it runs in the script's names, and else whose who runs it.
        while frame and frame.f_code.co_filename[:1] == "<" and frame.f_globals.get("__name__") != "__main__":
            frame = frame.f_back
        if frame is None or frame.f_code.co_filename.startswith((WORK + "/", "<")):
            if asks:
                tell(self.report, asked=name)
            else:
                self.told.add(name)
                tell(self.report, missing=name)
        return None


class FigureTeller:
    """Takes functions that draw a figure as PNG."""

    def __init__(self, imports):
        self.imports, self.count = imports, 0

    def __call__(self, draw):
        data = draw() if self.count < FIGURES_MAX else None
        is_left_out = data is None or len(data) > FIGURE_BYTES_MAX
        self.count += not is_left_out
        kind, content = (REPORT, b'{"figures_left_out": 1}') if is_left_out else (FIGURE, data)
        try:
            self.imports.send(self.imports.report, kind, content)
        except OSError:
            pass  # the job closed it


def top(name):
    return name.partition(".")[0]
