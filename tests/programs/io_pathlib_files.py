from pathlib import Path

root = Path("project")
(root / "src" / "pkg").mkdir(parents=True)
(root / "docs").mkdir()
files = {
    "src/main.py": "print('main')\n",
    "src/pkg/__init__.py": "",
    "src/pkg/util.py": "def f(): ...\n",
    "docs/index.md": "# Título\n",
    "README": "read me\n",
    ".hidden": "x",
}
for name, text in files.items():
    n = (root / name).write_text(text, encoding="utf-8")
    print(name, n, (root / name).stat().st_size)
print(sorted(str(p) for p in root.rglob("*.py")), sorted(p.name for p in root.iterdir()))
print(sorted(p.as_posix() for p in root.glob("*/*")), sorted(p.name for p in root.glob("**/")))
for dirpath, dirs, names in root.walk():
    dirs.sort()
    print(dirpath.as_posix(), dirs, sorted(names))
readme = root / "README"
target = readme.rename(root / "README.md")
print(target, target.exists(), readme.exists(), target.read_bytes(), target.is_file(), root.is_dir())
link = root / "link"
link.symlink_to("docs")
print(link.is_symlink(), link.is_dir(), link.readlink(), sorted(p.name for p in link.iterdir()))
with target.open("a") as fh:
    fh.write("more\n")
print(target.read_text().splitlines(), target.resolve().relative_to(Path.cwd()), Path.cwd() == Path().resolve())
print((root / "src").copy(root / "copied").name, sorted(p.name for p in (root / "copied").rglob("*")))
(root / "docs" / "index.md").move(root / "moved.md")
print(sorted(p.name for p in root.iterdir()))
for fn in (lambda: (root / "docs").mkdir(), lambda: (root / "nope").read_text(), lambda: root.rmdir(), lambda: target.mkdir(), lambda: list(target.iterdir()), lambda: (root / "zz").unlink()):
    try:
        fn()
    except OSError as e:
        print(type(e).__name__, e)
(root / "zz").unlink(missing_ok=True)
(root / "docs").rmdir()
(root / "docs2").mkdir(exist_ok=True)
print((root / "docs").exists(), target.samefile("project/README.md"), target.stat().st_mode & 0o777 != 0)
