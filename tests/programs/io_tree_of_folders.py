"""The tree that a program finds itself in, from its root, and the ways up and across."""
import errno
import os
import pathlib
import shutil

here = os.getcwd()
print(len(os.listdir("..")) > 0, any(True for _ in pathlib.Path("..").iterdir()))
print(os.path.exists("/"), os.path.isdir("/"), {"dev", "mnt", "proc", "tmp", "usr"} <= set(os.listdir("/")))
print(os.path.basename(here) in os.listdir(".."), os.path.samefile(os.path.join("..", os.path.basename(here)), "."))
print(os.path.realpath("/usr/../tmp"), os.path.samefile("/tmp/../tmp/.", "/tmp"), os.path.normpath("/../.."))
print(os.path.exists("/../../tmp"), os.path.exists("/nothing/../tmp"), os.path.exists("/dev/null/../null"))
open("here.txt", "w").write("x")
print(open(here + "/../" + os.path.basename(here) + "/here.txt").read())
top = next(os.walk("/"))
print(top[0], {"tmp", "usr"} <= set(top[1]))

os.makedirs("a/b/c")
open("a/b/c/deep.txt", "w").write("deep")
os.chdir("a/b")
print(open("../b/./c/deep.txt").read(), sorted(os.listdir("../..")), os.path.relpath("c", "../.."))
os.chdir(here)
os.symlink("a/b/c", "to_c")
print(os.listdir("to_c"), os.listdir("to_c/.."), os.path.realpath("to_c/..") == here + "/a/b")
os.symlink(here + "/a", "/tmp/across-" + str(os.getpid()))
across = "/tmp/across-" + str(os.getpid())
print(os.readlink(across) == here + "/a", open(across + "/b/c/deep.txt").read(), os.path.realpath(across + "/b") == here + "/a/b")
os.unlink(across)
os.symlink("loop", "loop")
os.symlink("nowhere", "dangling")
os.symlink("/dev/null", "null")
for path in ("loop", "loop/x", "dangling", "dangling/x", "here.txt/x", "here.txt/", "here.txt/..", "a/", "a/missing/../b"):
    try:
        os.stat(path)
        print(path, "is there")
    except OSError as error:
        print(path, errno.errorcode[error.errno])
print(os.path.lexists("dangling"), os.path.exists("null"), open("null").read() == "")
with open("dangling", "w") as f:
    f.write("made through the link")
print(os.path.isfile("nowhere"), os.path.islink("dangling"))
try:
    os.open("dangling", os.O_CREAT | os.O_EXCL | os.O_WRONLY)
except OSError as error:
    print(errno.errorcode[error.errno])
for action in (lambda: os.mkdir("/tmp"), lambda: os.makedirs("/tmp", exist_ok=True), lambda: os.mkdir("a/b"),
               lambda: os.rmdir("a"), lambda: os.unlink("a") , lambda: os.rename("missing", "b")):
    try:
        print(action())
    except OSError as error:
        print(errno.errorcode[error.errno].replace("EPERM", "EISDIR"))
fd = os.open("a", os.O_RDONLY)
print(os.listdir(fd), [entry.name for entry in os.scandir(fd)], os.stat("b", dir_fd=fd).st_ino == os.stat("a/b").st_ino)
os.rename("a", "renamed")
print(os.listdir(fd), os.path.exists("a"), os.stat("b", dir_fd=fd).st_ino == os.stat("renamed/b").st_ino)
os.fchdir(fd)
print(os.listdir("."))
os.chdir(here)
os.close(fd)
print([len(list(os.scandir("renamed"))) for _ in range(3)])
for i in range(300):
    open(f"renamed/{i:03}{'n' * 200}", "w").close()
with os.scandir("renamed") as one, os.scandir("renamed") as two:
    seen = [0, 0]
    for entry in one:
        seen[0] += 1
        seen[1] += next(two, None) is not None
        if entry.is_file():
            os.unlink(entry.path)
print(seen[0], os.listdir("renamed"))
os.makedirs("t/sub")
os.symlink("missing", "t/broken")
os.symlink("sub", "t/folder")
shutil.copytree("t", "t2", symlinks=True)
print(os.readlink("t2/broken"), os.readlink("t2/folder"), sorted(os.listdir("t2")))
shutil.rmtree("t2")
print(os.path.exists("t2"), os.path.exists("t/sub"))
fd = os.open("renamed", os.O_RDONLY)
with open("renamed/f.txt", "w") as f:
    os.rename("renamed", "again")
    print(os.readlink(f"/proc/self/fd/{f.fileno()}") == here + "/again/f.txt")
    print(os.readlink(f"/dev/fd/{fd}") == here + "/again", os.path.exists(f"/dev/fd/{fd}/f.txt"))
