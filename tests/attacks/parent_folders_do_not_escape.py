#: promise = "Paths that climb with '..' reach nothing outside, in any spelling"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

os.makedirs("a/b/c")
climbs = ["../" * n for n in (1, 2, 3, 5, 50)] + ["./../", "a/../../", "a/b/c/../../../../", "a/./b/.././../../", "..//", "/work/../", "/tmp/../"]
climbs += ["/usr/lib/python3.14/../../../", "/work/a/../../", os.getcwd() + "/../", "/tmp/./../", "/../", "/../../"]
for climb in climbs:
    for target in ("etc/passwd", "../etc/passwd", "proc/self/environ", "root", "home", "../home"):
        path = climb + target
        for look in (open, os.stat, os.listdir, lambda p: os.open(p, os.O_RDONLY), os.chdir, lambda p: open(p.encode())):
            try:
                look(path)
            except OSError:
                continue
            raise AssertionError(f"{path} is visible")
print("ok")
