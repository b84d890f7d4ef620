"""Imports modules for good, before a second snapshot, and tells the host what they did that copies could not repeat."""
import _pyexec
import gc
import importlib
import os
import sys
from _pyexec_import import PackLoader

REPORT_BAKED, REPORT_UNFIT, REPORT_VARIABLE = range(8, 11)
PROJECT = "/work"

# In the order of `effects` in host.h.
EFFECTS = ("reads the clock", "draws random numbers", "prints", "uses the folder of the project or /tmp",
           "leaves a file open")

# What modules do that does no harm.
EXCUSED = {
    # The first number of its Dummy symbols, so that those of different sessions differ when they are pickled.
    ("sympy.core.symbol", "draws random numbers"),
    # Where it begins to number links, for terminals that tell links apart by it.
    ("rich.style", "draws random numbers"),
}


class Unfit(BaseException):
    """Not an Exception, so that a module that could do without another does not conclude that it must."""


class Watch:
    """Takes note of what modules do while they are imported."""

    def __init__(self):
        # What the modules that the present one imports did, which is theirs.
        self.nested = [[0] * len(EFFECTS)]

    def exec_module(self, loader, module):
        before = _pyexec.effects()
        self.nested.append([0] * len(EFFECTS))
        PackLoader.__base__.exec_module(loader, module)
        all_done = [now - then for now, then in zip(_pyexec.effects(), before)]
        others = self.nested.pop()
        self.nested[-1] = [sum(pair) for pair in zip(self.nested[-1], all_done)]
        for what, every, other in zip(EFFECTS, all_done, others):
            if every > other and (module.__name__, what) not in EXCUSED:
                raise Unfit(f"{module.__name__} {what} when it is imported")


def bake(names):
    """Imports what it can of these, and reports for each what came of it."""
    watch, variables, environ = Watch(), set(), type(os.environ)
    getitem, iterate = environ.__getitem__, environ.__iter__

    def noted_getitem(self, key):
        variables.add(str(key))
        return getitem(self, key)

    def noted_iterate(self):
        variables.add("*")
        return iterate(self)

    # The project is another one in each copy.
    sys.path.remove(PROJECT)
    gc.disable()
    PackLoader.exec_module = lambda loader, module: watch.exec_module(loader, module)
    environ.__getitem__, environ.__iter__ = noted_getitem, noted_iterate
    try:
        for name in names:
            try:
                importlib.import_module(name)
            except BaseException as error:
                why = str(error) if isinstance(error, Unfit) else f"{type(error).__name__}: {error}"
                _pyexec.report(REPORT_UNFIT, f"{name}: {why}".encode("utf-8", "replace").decode())
            else:
                _pyexec.report(REPORT_BAKED, name)
    finally:
        del PackLoader.exec_module
        environ.__getitem__, environ.__iter__ = getitem, iterate
        gc.enable()
        sys.path.insert(0, PROJECT)
    for variable in sorted(variables):
        _pyexec.report(REPORT_VARIABLE, variable.encode("utf-8", "replace").decode())
