#: promise = "A link to any path, absolute or climbing, leads to what the job has there, and never to the host's"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import os

targets = ["/", "/etc/passwd", "/root", "/proc/1/root", "/proc/self/root", "/proc/self/cwd", "/sys", "../../../../etc/passwd", "/work/../../etc/passwd",
           "/dev/fd/../../../etc", "/proc/self/fd/3/../../..", "/mnt/data/../../../..", "/tmp/../../..", "//etc//passwd"]
top = set(os.listdir("/"))
assert top == {"dev", "mnt", "proc", "tmp", "usr", "work"}, top
for number, target in enumerate(targets):
    link = f"link{number}"
    os.symlink(target, link)
    assert os.readlink(link) == target
    try:
        assert set(os.listdir(link)) == top, (target, os.listdir(link))
    except OSError as error:
        assert error.errno in (errno.ENOENT, errno.ENOTDIR), (target, error)
    for below in ("etc/passwd", "../etc/passwd", "root/.bashrc"):
        try:
            open(f"{link}/{below}")
            raise SystemExit(f"{target} {below}")
        except OSError as error:
            assert error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES), error
# The folders that every job has stay where they are, by whatever path they are called.
os.symlink("/", "root")
for action in (lambda: os.rename("root/tmp", "x"), lambda: os.rmdir("root/tmp"), lambda: os.rename("root/work", "root/tmp/y"),
               lambda: os.rename("/tmp/..", "x"), lambda: os.unlink("root/mnt/data"), lambda: os.mkdir("root/new"),
               lambda: open("root/new", "w"), lambda: os.symlink("x", "root/new"), lambda: os.link("root/dev/null", "null"),
               lambda: os.rename("link0", "root/mnt/data"), lambda: os.chmod("root/usr", 0o777), lambda: os.utime("root/dev/null")):
    try:
        action()
        raise SystemExit("done")
    except OSError as error:
        assert error.errno in (errno.EROFS, errno.EBUSY, errno.EXDEV, errno.EINVAL, errno.EPERM), error
assert set(os.listdir("root")) == top
print("ok")
