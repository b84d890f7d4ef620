import errno
import os

os.makedirs("dir/full")
with open("dir/full/file", "w") as fh:
    fh.write("x")

CASES = [
    ("open missing", lambda: open("missing.txt")),
    ("open directory", lambda: open("dir")),
    ("open dir for write", lambda: open("dir", "w")),
    ("file as directory", lambda: open("dir/full/file/child")),
    ("mkdir existing", lambda: os.mkdir("dir")),
    ("mkdir no parent", lambda: os.mkdir("no/parent")),
    ("rmdir not empty", lambda: os.rmdir("dir/full")),
    ("rmdir file", lambda: os.rmdir("dir/full/file")),
    ("remove dir", lambda: os.remove("dir")),
    ("remove missing", lambda: os.remove("gone")),
    ("listdir file", lambda: os.listdir("dir/full/file")),
    ("listdir missing", lambda: os.listdir("gone")),
    ("rename missing", lambda: os.rename("gone", "there")),
    ("rename into itself", lambda: os.rename("dir", "dir/full/inside")),
    ("rename dir over file", lambda: os.rename("dir", "solo")),
    ("exclusive create", lambda: open("dir/full/file", "x")),
    ("chdir file", lambda: os.chdir("dir/full/file")),
    ("readlink file", lambda: os.readlink("dir/full/file")),
    ("symlink exists", lambda: os.symlink("a", "dir")),
    ("name too long", lambda: open("n" * 300)),
    ("scandir missing", lambda: os.scandir("gone")),
    ("stat missing", lambda: os.stat("gone")),
    ("utime missing", lambda: os.utime("gone")),
    ("negative seek", lambda: open("solo", "rb", 0).seek(-1)),
    ("empty name", lambda: open("")),
    ("null byte", lambda: open("a\0b")),
]
with open("solo", "w") as fh:
    fh.write("solo")
for label, fn in CASES:
    try:
        fn()
        print(f"{label:22} no error")
    except OSError as e:
        print(f"{label:22} {type(e).__name__:20} {e.errno:3} {errno.errorcode.get(e.errno)} {e.strerror} {e.filename!r} {e.filename2!r}")
    except ValueError as e:
        print(f"{label:22} {type(e).__name__} {e}")
print(OSError(errno.EACCES, "msg", "f"), type(OSError(errno.EEXIST, "x")).__name__, os.strerror(errno.ENOENT), os.strerror(errno.EINVAL))
for name in ("EPERM", "ENOENT", "EIO", "EBADF", "EAGAIN", "ENOMEM", "EACCES", "EEXIST", "ENOTDIR", "EISDIR", "EINVAL", "ENOSPC", "EPIPE", "ENOTEMPTY", "ELOOP"):
    print(name, getattr(errno, name), os.strerror(getattr(errno, name)))
