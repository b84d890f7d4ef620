import os
import shutil

os.makedirs("src/sub/deep")
for i, name in enumerate(["src/a.txt", "src/b.log", "src/sub/c.txt", "src/sub/deep/d.txt"]):
    with open(name, "w") as fh:
        fh.write(f"content {i}\n" * (i + 1))


def tree(top):
    out = []
    for root, dirs, files in os.walk(top):
        dirs.sort()
        out += [os.path.join(root, f) for f in sorted(files)]
    return out


print(shutil.copy("src/a.txt", "copy.txt"), shutil.copyfile("src/b.log", "b2.log"), shutil.copy2("src/a.txt", "src/sub"))
print(shutil.copytree("src", "dst", ignore=shutil.ignore_patterns("*.log")), tree("dst"))
shutil.copytree("src", "dst", dirs_exist_ok=True)
print(tree("dst"))
print(shutil.move("dst/sub", "moved"), tree("dst"), tree("moved"))
print(shutil.move("copy.txt", "moved"), os.path.exists("moved/copy.txt"))
for fmt in ("zip", "gztar", "tar"):
    name = os.path.basename(shutil.make_archive("arch", fmt, root_dir=".", base_dir="src"))
    shutil.unpack_archive(name, f"un_{fmt}")
    print(name, tree(f"un_{fmt}"))
print([f[0] for f in shutil.get_archive_formats()], [f[0] for f in shutil.get_unpack_formats()])
shutil.rmtree("dst")
print(os.path.exists("dst"))
for fn in (lambda: shutil.rmtree("dst"), lambda: shutil.copytree("src", "moved"), lambda: shutil.copyfile("src/a.txt", "src/a.txt"),
           lambda: shutil.copy("nope", "x"), lambda: shutil.move("nope", "x"), lambda: shutil.unpack_archive("src/a.txt"), lambda: shutil.move("src/a.txt", "moved/../src")):
    try:
        fn()
        print("ok")
    except (OSError, shutil.Error) as e:
        print(type(e).__name__, str(e).replace(os.getcwd(), "CWD"))
errors = []
shutil.rmtree("ghost", onexc=lambda f, path, exc: errors.append((f.__name__, path, type(exc).__name__)))
print([e[1:] for e in errors], shutil.rmtree("ghost", ignore_errors=True))
print(shutil.disk_usage(".").total >= 0, shutil.which("definitely-not-a-command"), shutil.get_terminal_size((70, 20)).lines > 0)
with open("src/a.txt", "rb") as i, open("obj.bin", "wb") as o:
    shutil.copyfileobj(i, o, 4)
print(open("obj.bin").read(), end="")
