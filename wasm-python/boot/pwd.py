"""The users of `/etc/passwd`."""
from collections import namedtuple as _namedtuple

struct_passwd = _namedtuple("struct_passwd", "pw_name pw_passwd pw_uid pw_gid pw_gecos pw_dir pw_shell")
struct_passwd.__module__ = "pwd"


def getpwall():
    with open("/etc/passwd", encoding="utf-8") as file:
        lines = [line.rstrip("\n").split(":") for line in file]
    return [struct_passwd(name, "x", int(uid), int(gid), *rest) for name, _, uid, gid, *rest in lines]


def getpwuid(uid):
    for user in getpwall():
        if user.pw_uid == uid:
            return user
    raise KeyError(f"getpwuid(): uid not found: {uid}")


def getpwnam(name):
    for user in getpwall():
        if user.pw_name == name:
            return user
    raise KeyError(f"getpwnam(): name not found: {name!r}")
