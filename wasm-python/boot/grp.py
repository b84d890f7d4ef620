"""The groups of `/etc/group`."""
from collections import namedtuple as _namedtuple

struct_group = _namedtuple("struct_group", "gr_name gr_passwd gr_gid gr_mem")
struct_group.__module__ = "grp"


def getgrall():
    with open("/etc/group", encoding="utf-8") as file:
        lines = [line.rstrip("\n").split(":") for line in file]
    return [struct_group(name, "x", int(gid), members.split(",") if members else []) for name, _, gid, members in lines]


def getgrgid(id):
    for group in getgrall():
        if group.gr_gid == id:
            return group
    raise KeyError(f"getgrgid(): gid not found: {id}")


def getgrnam(name):
    for group in getgrall():
        if group.gr_name == name:
            return group
    raise KeyError(f"getgrnam(): name not found: {name!r}")
