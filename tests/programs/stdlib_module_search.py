import importlib.metadata
import importlib.util
import inspect
import json
import os
import pkgutil
import sys

listed = {module.name: module.ispkg for module in pkgutil.iter_modules()}
print(len(listed) > 150, [name in listed for name in ("json", "os", "argparse", "asyncio", "this", "nothing")], listed["json"])
print([module.name for module in pkgutil.iter_modules(json.__path__, "json.")])
print([module.name for module in pkgutil.walk_packages(importlib.metadata.__path__, "m.")])
for name in ("json", "json.decoder", "os", "nothing", "sys", "asyncio.queues"):
    spec = importlib.util.find_spec(name)
    print(name, spec and (spec.name, os.path.basename(spec.origin or ""), spec.has_location, spec.parent))
print(len(sys.stdlib_module_names), {"json", "antigravity", "_thread"} <= sys.stdlib_module_names, "numpy" in sys.stdlib_module_names)
folder = os.path.dirname(os.__file__)
print({"os.py", "json", "asyncio", "typing.py"} <= set(os.listdir(folder)), os.path.isfile(inspect.getsourcefile(json)))
print(inspect.getsource(json.dumps).splitlines()[0], len(inspect.getsource(inspect)) > 100_000)
print(pkgutil.get_data("json", "__init__.py")[:5], pkgutil.resolve_name("json:dumps") is json.dumps)
try:
    importlib.metadata.version("nothing-such")
except importlib.metadata.PackageNotFoundError as error:
    print(error)
