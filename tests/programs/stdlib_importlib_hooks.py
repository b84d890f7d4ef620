import importlib.abc
import importlib.machinery
import importlib.util
import sys

SOURCES = {"virtual": "answer = 42\n", "virtual.sub": "from virtual import answer\ndouble = answer * 2\n"}


class DictFinder(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    def __init__(self, sources):
        self.sources = sources
        self.log = []

    def find_spec(self, fullname, path, target=None):
        self.log.append(fullname)
        if fullname in self.sources:
            return importlib.util.spec_from_loader(fullname, self, is_package=fullname == "virtual")

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        print("exec", module.__name__)
        exec(compile(self.sources[module.__name__], f"<{module.__name__}>", "exec"), module.__dict__)


finder = DictFinder(SOURCES)
sys.meta_path.insert(0, finder)
import virtual.sub
print(virtual.answer, virtual.sub.double, virtual.__spec__.name, virtual.sub.__package__, finder.log)
try:
    import virtual.missing
except ModuleNotFoundError as e:
    print(e, e.name)
try:
    from virtual import nothing
except ImportError as e:
    print(type(e).__name__, str(e).split(" (")[0], e.name, e.name_from)
sys.meta_path.remove(finder)
sys.modules.pop("virtual.sub")
try:
    import virtual.sub
except ModuleNotFoundError as e:
    print("after removal:", e)
sys.modules["blocked"] = None
try:
    import blocked
except ModuleNotFoundError as e:
    print(e)
print(importlib.machinery.SOURCE_SUFFIXES, importlib.util.find_spec("json").name, "sys" in sys.builtin_module_names)
spec = importlib.util.find_spec("rlcompleter")
lazy_loader = importlib.util.LazyLoader(spec.loader)
spec.loader = lazy_loader
mod = importlib.util.module_from_spec(spec)
lazy_loader.exec_module(mod)
print(mod.Completer.__name__, type(sys.modules["importlib"]).__name__)
