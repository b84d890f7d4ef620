"""What a container has beyond its image: packages on the path, a name for its user, a link, settings of pip."""
import os
import re
import sys

from project import WORK

ENVIRONMENT = "/environment"
ALIAS = "/mnt/data"
PIP_CONFIGURATION = os.path.expanduser("~/.config/pip/pip.conf")
PIP_LOG = os.path.expanduser("~/.cache/pip.log")
PIP_LOG_BYTES_MAX = 1 << 20
NOT_FOUND_BY_PIP = re.compile(rb"No matching distribution found for ([\w.-]{1,100})")


def use_packages():
    """An image that was not made by us has no file that puts its packages on the path."""
    if os.path.isdir(ENVIRONMENT) and ENVIRONMENT not in sys.path:
        import site

        site.addsitedir(ENVIRONMENT)


def use_user_site():
    """Where pip installs when a job calls it: on the path only if it is there when Python starts."""
    import site

    folder = site.getusersitepackages()
    if site.ENABLE_USER_SITE and folder not in sys.path:
        try:
            os.makedirs(folder, exist_ok=True)
        except OSError:
            return  # no room for it
        first = min((sys.path.index(other) for other in (ENVIRONMENT, *site.getsitepackages()) if other in sys.path), default=0)
        sys.path.insert(first, folder)


def know_the_user():
    """No image has a name for the user of this container: here it has one, for `getpass` and its like."""
    try:
        import pwd
    except ImportError:
        return
    found, own = pwd.getpwuid, os.getuid()

    def getpwuid(uid, /):
        if uid != own:
            return found(uid)
        return pwd.struct_passwd(("user", "x", own, os.getgid(), "", os.environ.get("HOME", "/tmp"), "/bin/sh"))

    pwd.getpwuid = getpwuid


def make_alias():
    """The project's folder has the name of another service, too, by which models look for files."""
    try:
        os.symlink(WORK, ALIAS)
    except OSError:
        pass  # an image that has something there


def configure_pip():
    """Without a network pip looks for nothing there, and writes down that it found nothing."""
    try:
        os.makedirs(os.path.dirname(PIP_CONFIGURATION), exist_ok=True)
        with open(PIP_CONFIGURATION, "x") as file:
            file.write(f"[global]\nno-index = true\nlog = {PIP_LOG}\n")
    except OSError:
        pass  # no room for it, or the commands of the job have made one


def missed_by_pip():
    """What a job wanted to have installed, as pip tells it."""
    try:
        with open(PIP_LOG, "rb") as file:
            return {found[1].decode(errors="replace") for found in NOT_FOUND_BY_PIP.finditer(file.read(PIP_LOG_BYTES_MAX))}
    except OSError:
        return set()
