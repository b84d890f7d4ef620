"""Locks between open files of one process, and how files are open."""
import fcntl
import os


def attempt(what, function):
    try:
        print(what, function())
    except OSError as error:
        print(what, type(error).__name__, error.errno)


a, b = open("lock", "w"), open("lock", "w")
attempt("lock", lambda: fcntl.flock(a, fcntl.LOCK_EX))
attempt("lock again", lambda: fcntl.flock(a, fcntl.LOCK_EX | fcntl.LOCK_NB))
attempt("taken", lambda: fcntl.flock(b, fcntl.LOCK_EX | fcntl.LOCK_NB))
attempt("taken for reading", lambda: fcntl.flock(b, fcntl.LOCK_SH | fcntl.LOCK_NB))
attempt("shared now", lambda: fcntl.flock(a, fcntl.LOCK_SH))
attempt("shared by both", lambda: fcntl.flock(b, fcntl.LOCK_SH | fcntl.LOCK_NB))
a.close()
attempt("free when closed", lambda: fcntl.flock(b, fcntl.LOCK_EX | fcntl.LOCK_NB))
attempt("no such lock", lambda: fcntl.flock(b, 64))

for mode in ("r", "w", "r+", "a", "a+"):
    with open("lock", mode) as file:
        flags = fcntl.fcntl(file, fcntl.F_GETFL)
        print(mode, flags & os.O_ACCMODE, bool(flags & os.O_APPEND), bool(flags & os.O_NONBLOCK))
with open("lock", "w") as file:
    fcntl.fcntl(file, fcntl.F_SETFL, os.O_APPEND)
    print(bool(fcntl.fcntl(file, fcntl.F_GETFL) & os.O_APPEND))
reader, writer = os.pipe()
print(fcntl.fcntl(reader, fcntl.F_GETPIPE_SZ))
attempt("no pipe", lambda: fcntl.fcntl(b, fcntl.F_GETPIPE_SZ))

for mode in (0o644, 0o755, 0o400):
    os.chmod("lock", mode)
    print(oct(mode), [os.access("lock", how) for how in (os.F_OK, os.R_OK, os.X_OK)])
for size in (0, 1, 4096, 4097):
    with open("sized", "wb") as file:
        file.write(b"x" * size)
    print(size, os.stat("sized").st_blksize, os.stat("sized").st_size)
print(os.access("nothing", os.F_OK), os.listxattr("lock"))
