"""Imports the standard library and packages from the host's memory: no folder is listed and no file read."""
import _pyexec
import sys
from importlib.machinery import FileFinder, ModuleSpec, SourceFileLoader

FOLDER = "/usr/lib/python3.14"
PACKAGES = FOLDER + "/site-packages"
# Modules that lack something of Linux's: its names, and what misses it, as kind and detail of a miss.
ABSENT = {
    "ctypes": (("c_double_complex", "c_float_complex", "c_longdouble_complex"), "library", "ctypes: complex numbers"),
    "select": (("epoll",), "process", "select.epoll()"),
    "selectors": (("EpollSelector",), "process", "select.epoll()"),
}
MODULE, PACKAGE, NAMESPACE = range(3)
# Modules that are built in on Linux, too.
BUILT_IN = frozenset("""
    _abc _ast _codecs _collections _functools _imp _io _locale _operator _signal _sre _stat _string _suggestions _symtable
    _sysconfig _thread _tokenize _tracemalloc _typing _warnings _weakref atexit builtins errno faulthandler gc itertools
    marshal posix pwd sys time
""".split())


class PackLoader(SourceFileLoader):
    """An ordinary source loader, whose code comes compiled."""

    def get_code(self, fullname):
        stem = self.path[len("/usr/"):].removesuffix("/__init__.py").removesuffix(".py")
        # Without bytecode there is source, or what is wrong with it.
        return _pyexec.load_code(stem) or super().get_code(fullname)


class PackFinder:
    """The path entry finder of the standard library's folder and those in it."""

    def __init__(self, prefix):
        self.prefix = prefix

    def find_spec(self, fullname, target=None):
        stem = f"{self.prefix}/{fullname.rpartition('.')[2]}"
        kind = _pyexec.find_module(stem[len("/usr/"):])
        if kind is None:
            return None
        if kind == NAMESPACE:
            spec = ModuleSpec(fullname, None, is_package=True)
        else:
            path = f"{stem}/__init__.py" if kind == PACKAGE else f"{stem}.py"
            spec = ModuleSpec(fullname, PackLoader(fullname, path), origin=path, is_package=kind == PACKAGE)
            spec.has_location = True
        if kind != MODULE:
            spec.submodule_search_locations.append(stem)
        return spec

    def invalidate_caches(self):
        pass

    def iter_modules(self, prefix=""):
        """For pkgutil, as its own FileFinder support does it."""
        import os

        try:
            names = sorted(os.listdir(self.prefix))
        except OSError:
            return
        if self.prefix == FOLDER:
            # What is built in here is a file on Linux.
            for name in sys.builtin_module_names:
                if name not in BUILT_IN:
                    yield prefix + name, False
        for name in names:
            path = f"{self.prefix}/{name}"
            if name.startswith("_pyexec_"):
                continue  # ours
            if name.endswith(".py") and name != "__init__.py":
                yield prefix + name[:-3], False
            elif "." not in name and os.path.exists(f"{path}/__init__.py"):
                yield prefix + name, True


class PackagesFinder(PackFinder, FileFinder):
    """The one of the packages' folder: pkg_resources and pkgutil list the folders of such finders."""

    def __init__(self, path):
        super().__init__(path)
        self.path = path


class MissingFinder:
    """Asked last: what nobody found may be there with other means."""

    @staticmethod
    def find_spec(fullname, path=None, target=None):
        if path is not None:
            return None
        import _pyexec_linux

        frame, asks = sys._getframe(1), False
        while frame is not None and "importlib" in frame.f_code.co_filename:
            # importlib.util's: who asks whether there is one goes on without.
            asks = asks or frame.f_code.co_name == "find_spec"
            frame = frame.f_back
        is_own = _pyexec_linux.is_own(frame)
        if not asks:
            _pyexec_linux.miss_module(fullname, is_own)
        elif is_own:
            _pyexec_linux.record("find_spec", fullname)
        return None

    @staticmethod
    def find_distributions(context):
        """Asked by importlib.metadata, when nobody has the distribution."""
        if context.name:
            import _pyexec_linux

            frame = sys._getframe(1)
            while frame is not None and "importlib" in frame.f_code.co_filename:
                frame = frame.f_back
            if _pyexec_linux.is_own(frame):
                _pyexec_linux.record("distribution", context.name)
        return ()


def complete(module):
    """Has a miss follow where the program takes what a module lacks; whoever asks for it first goes on without."""
    names, kind, detail = ABSENT[module.__name__]

    def __getattr__(name):
        error = AttributeError(f"module {module.__name__!r} has no attribute {name!r}", name=name, obj=module)
        if name in names:
            import _pyexec_linux

            error = _pyexec_linux.miss(kind, detail, error)
        raise error

    module.__getattr__ = __getattr__


def _hook(path):
    if path == PACKAGES:
        return PackagesFinder(path)
    if path == FOLDER or path.startswith(FOLDER + "/"):
        return PackFinder(path)
    raise ImportError


def _cache_no_bytecode(self, source_path, bytecode_path, data):
    """Nobody imports the project a second time: to write its bytecode would take longer than to compile it."""


def install():
    SourceFileLoader._cache_bytecode = _cache_no_bytecode
    sys.path_hooks.insert(0, _hook)
    sys.path_importer_cache.clear()
    sys.meta_path.append(MissingFinder)
