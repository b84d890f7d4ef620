"""Notes how things are before a job's commands, and keeps what they have changed afterwards.

Its argument is `begin` or `end`; it runs in the shell of the commands, as root in a build container. What it keeps is put
in place by `runner/project.py` when the job runs, for these folders are empty then.
"""
import json
import os
import shutil
import stat
import sys

KEPT = "/.pyexec"
FOLDERS = ("/work", "/tmp")
BEFORE = f"{KEPT}/before.json"
# Of the shell, and not exported by anyone.
SHELLS_OWN = {"_", "PWD", "OLDPWD", "SHLVL"}


def main():
    if sys.argv[1] == "begin":
        now = {folder: signatures(folder) for folder in FOLDERS}
        write(BEFORE, {"env": dict(os.environ), "files": now})
        return
    cwd = working_folder()
    with open(BEFORE) as file:
        before = json.load(file)
    os.unlink(BEFORE)
    deleted = []
    for folder in FOLDERS:
        deleted += keep(folder, before["files"][folder])
    env = {name: value for name, value in os.environ.items() if name not in SHELLS_OWN and before["env"].get(name) != value}
    unset = [name for name in before["env"] if name not in os.environ and name not in SHELLS_OWN]
    write(f"{KEPT}/left.json", {"env": env, "unset": unset, "deleted": deleted, "cwd": cwd})
    os.chmod(KEPT, 0o755)


def write(path, content):
    # What is no Unicode in names and variables stays what it is.
    with open(path, "w", encoding="utf-8", errors="surrogateescape") as file:
        json.dump(content, file)


def working_folder():
    try:
        return os.getcwd()
    except OSError:
        return "/work"


def signatures(folder):
    """What tells whether a file has changed, by its path."""
    found = {}
    for path, status in walk(folder):
        is_folder = stat.S_ISDIR(status.st_mode)
        found[path] = ["folder"] if is_folder else [status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns]
    return found


def walk(folder):
    pending = [folder]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                status = entry.stat(follow_symlinks=False)
                yield entry.path, status
                if stat.S_ISDIR(status.st_mode):
                    pending.append(entry.path)


def keep(folder, before):
    """Moves what is new or changed; returns what is gone. Nothing else stays in the folder."""
    now = signatures(folder)
    for path in sorted(now):
        if before.get(path) == now[path]:
            continue
        status = os.lstat(path)
        target = KEPT + path
        if stat.S_ISDIR(status.st_mode):
            os.makedirs(target, exist_ok=True)
        elif stat.S_ISREG(status.st_mode) or stat.S_ISLNK(status.st_mode):
            os.makedirs(os.path.dirname(target), exist_ok=True)
            shutil.move(path, target)
            if stat.S_ISREG(status.st_mode):
                os.chmod(target, stat.S_IMODE(status.st_mode) & 0o755 | 0o444)
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        if os.path.isdir(path) and not os.path.islink(path):
            shutil.rmtree(path)
        else:
            os.unlink(path)
    return [path for path in sorted(before, reverse=True) if path not in now]


main()
