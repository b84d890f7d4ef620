import os
import stat

os.makedirs("a/b/c", exist_ok=True)
os.mkdir("a/d")
for name in ("a/1.txt", "a/b/2.txt", "a/b/c/3.txt"):
    with open(name, "w") as fh:
        fh.write(name * 3)
for top, dirs, files in os.walk("a"):
    dirs.sort()
    print(top, dirs, sorted(files))
print([t for t, _, _ in os.walk("a", topdown=False)][-1])
with os.scandir("a") as it:
    for e in sorted(it, key=lambda e: e.name):
        print(e.name, e.path, e.is_dir(), e.is_file(), e.is_symlink(), e.stat().st_size if e.is_file() else "-")
os.rename("a/1.txt", "a/one.txt")
os.replace("a/one.txt", "a/b/2.txt")
print(sorted(os.listdir("a")), open("a/b/2.txt").read())
os.symlink("b/2.txt", "a/link")
print(os.readlink("a/link"), os.path.islink("a/link"), open("a/link").read(7), os.lstat("a/link").st_size, stat.S_ISLNK(os.lstat("a/link").st_mode))
st = os.stat("a/b/2.txt")
print(st.st_size, stat.S_ISREG(st.st_mode), os.path.getsize("a/link"), stat.filemode(0o100644), stat.filemode(0o40755), stat.filemode(0o120777))
os.utime("a/b/2.txt", (1_000_000_000, 1_500_000_000))
print(os.stat("a/b/2.txt").st_mtime, os.path.getmtime("a/b/2.txt"), os.stat("a/b/2.txt").st_mtime_ns)
os.truncate("a/b/2.txt", 4)
print(open("a/b/2.txt").read())
os.link("a/b/2.txt", "a/hard")
print(os.path.samefile("a/hard", "a/b/2.txt"), os.stat("a/hard").st_nlink)
here = os.getcwd()
os.chdir("a/b")
print(os.path.relpath(os.getcwd(), here), os.path.exists("2.txt"), os.path.relpath(here))
os.chdir("../..")
print(os.getcwd() == here, os.access("a", os.F_OK), os.access("zzz", os.F_OK), os.access("a/hard", os.R_OK | os.W_OK))
os.remove("a/b/c/3.txt")
os.removedirs("a/b/c") if not os.listdir("a/b/c") else None
print(sorted(os.listdir("a")), os.path.exists("a/b/c"))
os.rmdir("a/d")
print(os.environ.get("NOPE", "unset"), os.getenv("NOPE"))
os.environ["DEMO"] = "1"
print(os.environ["DEMO"], os.path.expandvars("$DEMO/${DEMO}x/$NOPE"), os.fsencode("é"), os.fspath("p"), os.sep, os.linesep.encode(), os.name, os.cpu_count() is None or os.cpu_count() > 0)
