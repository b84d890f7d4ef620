"""What a program asks of its machine, as far as it is the same on every Linux."""
import grp
import os
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
print(os.sysconf("SC_PAGESIZE"), os.sysconf("SC_PHYS_PAGES") > 1000, os.sysconf("SC_OPEN_MAX") > 100)
print(*(sysconfig.get_config_var(name) for name in ("SIZEOF_VOID_P", "SIZEOF_LONG", "SIZEOF_SIZE_T", "SIZEOF_INT")))
print(*(getattr(select, name) for name in "POLLIN POLLPRI POLLOUT POLLERR POLLHUP POLLNVAL POLLRDNORM".split()))
print("__cached__" in globals(), hasattr(os, "vfork"), hasattr(os, "O_SEARCH"))
