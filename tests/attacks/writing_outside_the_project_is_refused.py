#: promise = "Nothing can be created outside the project and /tmp"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

places = ["../escaped", "../../escaped", "/escaped", "/usr/escaped", "/usr/lib/escaped", "/tmp/../escaped", "/etc/escaped", "/var/escaped"]
places += ["/home/escaped", "/work/../escaped", "/usr/lib/python3.14/../escaped", "/proc/escaped", "/dev/escaped", "/dev/shm/escaped"]
open("inside", "w").close()
for place in places:
    for make in (
        lambda: open(place, "w"),
        lambda: os.open(place, os.O_CREAT | os.O_WRONLY),
        lambda: os.mkdir(place),
        lambda: os.symlink("inside", place),
        lambda: os.link("inside", place),
        lambda: os.rename("inside", place),
        lambda: os.replace("inside", place),
    ):
        try:
            make()
        except OSError:
            continue
        raise AssertionError(f"{place} was created")
assert os.path.exists("inside")
print("ok")
