import shutil
from collections import defaultdict
from pathlib import Path

FILES = {
    "src/app.py": "print('app')\n" * 40,
    "src/util/text.py": "def f():\n    return 1\n" * 12,
    "src/util/dates.py": "# TODO: leap years\n",
    "docs/index.md": "# Docs\nTODO: write\n" * 3,
    "docs/img/logo.svg": "<svg></svg>",
    "README.md": "Hello\n",
    "data.csv": "a,b\n1,2\n",
}

root = Path("project")
if root.exists():
    shutil.rmtree(root)
for name, content in FILES.items():
    path = root / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content)

sizes, counts = defaultdict(int), defaultdict(int)
todos = []
for path in sorted(root.rglob("*")):
    if path.is_dir():
        continue
    sizes[path.suffix] += path.stat().st_size
    counts[path.suffix] += 1
    for number, line in enumerate(path.read_text().splitlines(), start=1):
        if "TODO" in line:
            todos.append(f"{path.relative_to(root)}:{number}: {line.strip()}")

for suffix in sorted(sizes, key=sizes.get, reverse=True):
    print(f"{suffix:<6}{counts[suffix]:>3} files {sizes[suffix]:>6} bytes")
print("\n".join(todos))
print("deepest:", max(root.rglob("*"), key=lambda path: (len(path.parts), path.name)).as_posix())
shutil.rmtree(root)
print("cleaned up:", not root.exists())
