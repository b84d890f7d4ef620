#: promise = "Well-known files of a Linux host cannot be read, found or listed"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

paths = ["/etc/passwd", "/etc/hostname", "/etc/resolv.conf", "/etc", "/root", "/home", "/var", "/bin/sh", "/boot", "/sys", "/run", "/opt"]
paths += ["//etc/passwd", "///etc//passwd", "/./etc/passwd", "/usr/lib/python3", "/var/run/docker.sock", "/lib/ld-linux.so.2"]
for path in paths:
    for look in (open, os.stat, os.lstat, os.listdir, os.scandir, os.chdir, lambda p: os.open(p, os.O_RDONLY)):
        try:
            look(path)
        except OSError:
            continue
        raise AssertionError(f"{path} is visible")
    assert not os.path.exists(path) and not os.access(path, os.F_OK), path
print("ok")
