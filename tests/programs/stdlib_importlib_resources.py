import os
import sys
import importlib.resources as res
import pkgutil
import zipfile

os.makedirs("mypkg/data/nested")
FILES = {
    "mypkg/__init__.py": "VERSION = '1.0'\n",
    "mypkg/data/__init__.py": "",
    "mypkg/data/greeting.txt": "Hello, wörld!\n",
    "mypkg/data/table.bin": "\x01\x02\x03",
    "mypkg/data/nested/deep.txt": "deep\n",
    "mypkg/plugin_a.py": "def run(): return 'A'\n",
    "mypkg/plugin_b.py": "def run(): return 'B'\n",
}
for name, text in FILES.items():
    with open(name, "w", encoding="utf-8") as fh:
        fh.write(text)
sys.path.insert(0, os.getcwd())
import mypkg

root = res.files("mypkg.data")
print(sorted(p.name for p in root.iterdir() if p.name != "__pycache__"))
print((root / "greeting.txt").read_text(encoding="utf-8").strip(), root.joinpath("table.bin").read_bytes(), (root / "nested" / "deep.txt").is_file())
print(res.read_text("mypkg.data", "greeting.txt", encoding="utf-8").strip(), res.is_resource("mypkg.data", "nope"))
with res.as_file(root / "greeting.txt") as path:
    print(path.name, path.exists())
print(pkgutil.get_data("mypkg", "data/table.bin"))
for info in pkgutil.iter_modules(mypkg.__path__, "mypkg."):
    print(info.name, info.ispkg)
print([m.name for m in pkgutil.walk_packages(mypkg.__path__, "mypkg.")])
for info in pkgutil.iter_modules(mypkg.__path__):
    if info.name.startswith("plugin_"):
        print(pkgutil.resolve_name(f"mypkg.{info.name}:run")())
try:
    (root / "missing.txt").read_text()
except FileNotFoundError as e:
    print("FileNotFoundError", e.errno)

with zipfile.ZipFile("bundle.zip", "w") as z:
    z.writestr("zpkg/__init__.py", "")
    z.writestr("zpkg/note.txt", "from zip")
    z.writestr("zpkg/mod.py", "name = __name__\n")
sys.path.insert(0, "bundle.zip")
import zpkg.mod
print(zpkg.mod.name, res.files("zpkg").joinpath("note.txt").read_text(), type(zpkg.__loader__).__name__)
print([m.name for m in pkgutil.iter_modules(zpkg.__path__)])
