"""The groups of a slim image, and the job's own."""
from collections import namedtuple as _namedtuple

struct_group = _namedtuple("struct_group", "gr_name gr_passwd gr_gid gr_mem")
struct_group.__module__ = "grp"

_groups = """
    root:0 daemon:1 bin:2 sys:3 adm:4 tty:5 disk:6 lp:7
    mail:8 news:9 uucp:10 man:12 proxy:13 kmem:15 dialout:20 fax:21
    voice:22 cdrom:24 floppy:25 tape:26 sudo:27 audio:29 dip:30 www-data:33
    backup:34 operator:37 list:38 irc:39 src:40 shadow:42 utmp:43 video:44
    sasl:45 plugdev:46 staff:50 games:60 users:100 nogroup:65534 user:1000
"""


def getgrall():
    pairs = [pair.split(":") for pair in _groups.split()]
    return [struct_group(name, "x", int(gid), []) for name, gid in pairs]


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
