#: promise = "Nothing of the host's /proc, /sys or its devices is visible"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

# A job's own descriptors have names, as on Linux; those that it was started with do not.
assert os.listdir("/proc") == ["self"] and os.listdir("/proc/self") == ["fd"], os.listdir("/proc/self")
own = {"/proc/self/fd", "/proc/self/fd/0"}
names = ["environ", "cmdline", "exe", "mem", "maps", "root", "cwd", "fd", "fd/0", "fd/3", "status", "root/etc/passwd", "cwd/..", "mounts"]
paths = [f"/proc/{who}/{name}" for who in ("self", "1", "thread-self", os.getpid()) for name in names]
paths += [f"/dev/{name}" for name in ("mem", "kmem", "sda", "ptmx", "pts", "shm", "fd/3", "kvm", "net/tun", "mqueue", "disk")]
paths += ["/sys", "/sys/kernel", "/proc/sys/kernel/core_pattern", "/proc/sysrq-trigger", "/sys/fs/cgroup", "/proc/net/tcp"]
for path in sorted(set(paths) - own):
    for look in (open, os.readlink, os.listdir, lambda p: open(p, "wb")):
        try:
            look(path)
        except OSError:
            continue
        raise AssertionError(f"{path} is visible")
print("ok")
