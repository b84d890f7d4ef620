#: promise = "chroot, mknod, mkfifo, mount and chown are missing or refused"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

calls = [("chroot", "."), ("mknod", "node"), ("mknod", "disk", 0o60666, 2049), ("chown", ".", 0, 0), ("lchown", ".", 0, 0), ("setns", 0)]
calls += [("unshare", 0x10000000), ("setuid", 0), ("setgid", 0), ("setgroups", [0]), ("fchdir", 0), ("pidfd_open", 1), ("memfd_create", "x")]
for name, *arguments in calls:
    try:
        getattr(os, name)(*arguments)
    except (OSError, AttributeError, NotImplementedError):
        continue
    raise AssertionError(f"os.{name} was allowed")
print("ok")
