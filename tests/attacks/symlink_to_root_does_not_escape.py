#: promise = "A symbolic link to / or far up is refused or leads nowhere"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

os.mkdir("folder")
targets = ["/", "/etc", "..", "../..", "../../../../../..", "folder/../..", "./..", "/proc/self/root", "/work/..", "//", ".//..//..", "/tmp/.."]
for number, target in enumerate(targets):
    for link in (f"up{number}", f"folder/up{number}"):
        try:
            os.symlink(target, link)
        except OSError:
            continue
        for rest in ("etc/passwd", "passwd", "../etc/passwd", "../../etc/passwd", "proc/self/environ", "root/.", "home/."):
            for look in (open, os.stat, os.listdir, os.chdir):
                try:
                    look(f"{link}/{rest}")
                except OSError:
                    continue
                raise AssertionError(f"{rest} is visible through a link to {target}")
print("ok")
