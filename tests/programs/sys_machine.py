"""What a program asks of its machine, as far as it is the same on every Linux."""
import grp
import os
import platform
import pwd
import select
import shutil
import sysconfig

print(pwd.getpwuid(0).pw_name, pwd.getpwnam("root").pw_uid, pwd.getpwnam("nobody").pw_uid > 1000)
print(grp.getgrgid(0).gr_name, os.path.expanduser("~root"))
for look in (lambda: pwd.getpwnam("surely-nobody"), lambda: grp.getgrgid(54321), lambda: pwd.getpwuid(54321)):
    try:
        look()
    except KeyError as error:
        print(error)
print(bool(shutil.which("ls")), bool(shutil.which("sh")), shutil.which("surely-no-such-program"))
print(os.path.exists("/bin/sh"), os.access("/bin/sh", os.X_OK), os.access("/etc/passwd", os.X_OK))
for folder in ("/etc", "/home", "/opt", "/run", "/sys", "/tmp", "/usr/bin", "/var/tmp", "/dev/shm"):
    print(folder, os.path.isdir(folder))
for file in ("/etc/passwd", "/etc/os-release", "/proc/cpuinfo", "/proc/meminfo", "/proc/self/status"):
    with open(file) as opened:
        print(file, len(opened.read()) > 50)
with open("/proc/meminfo") as file:
    print(next(file).split()[0])
print("ID" in platform.freedesktop_os_release())
with open("/dev/shm/mark-of-a-test", "w") as file:
    print(file.write("hi"))
os.remove("/dev/shm/mark-of-a-test")

print(os.sysconf("SC_PAGESIZE"), os.sysconf("SC_PHYS_PAGES") > 1000, os.sysconf("SC_OPEN_MAX") > 100)
print(*(sysconfig.get_config_var(name) for name in ("SIZEOF_VOID_P", "SIZEOF_LONG", "SIZEOF_SIZE_T", "SIZEOF_INT")))
print(*(getattr(select, name) for name in "POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL POLLRDNORM".split()))
print("__cached__" in globals(), hasattr(os, "vfork"), hasattr(os, "O_SEARCH"))
