import os.path as op
import posixpath
import ntpath

PATHS = ["/a/b/c.txt", "a//b/../c/./d", "", "/", "..", "file.tar.gz", ".profile", "dir/", "//x//y", "a/b/.hidden.cfg"]
for p in PATHS:
    print(f"{p!r:20} {op.split(p)} {op.splitext(p)} {op.basename(p)!r} {op.dirname(p)!r} {op.normpath(p)!r} {op.isabs(p)}")
print(op.join("a", "b", "/c", "d"), op.join("a/", "", "b"), op.join("", "x"))
print(op.commonpath(["/usr/lib", "/usr/local/lib"]), op.commonprefix(["interview", "internet", "interval"]))
print(op.relpath("/a/b/c", "/a/x"), op.relpath("q"), posixpath.splitroot("/a/b"), op.splitdrive("c:/x"))
print(ntpath.join("C:\\a", "b"), ntpath.split("C:\\a\\b.txt"), ntpath.splitdrive("\\\\srv\\share\\f"), ntpath.normpath("a/./b/..\\c"), ntpath.isabs("C:\\x"))
print(op.exists("nope"), op.isfile("nope"), op.isdir("."), op.lexists("nope"), op.ismount("/"))
for bad in (lambda: op.join("a", b"b"), lambda: op.commonpath(["/a", "b"]), lambda: op.getsize("nope"), lambda: op.commonpath([])):
    try:
        bad()
    except (TypeError, ValueError, OSError) as e:
        print(type(e).__name__, e)
with open("f.txt", "w") as fh:
    fh.write("data")
print(op.getsize("f.txt"), op.isfile("f.txt"), op.samefile("f.txt", "./f.txt"), op.basename(op.abspath("f.txt")), op.realpath("x/../f.txt") == op.abspath("f.txt"))
print(op.normcase("AbC"), op.expanduser("no~tilde"), op.isabs(op.abspath(".")))
