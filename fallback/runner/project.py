"""The project's files: as they come from the host, with what commands have left, and those that have changed."""
import errno
import json
import os
import re
import stat

from frames import CHUNK_BYTES, CONTENT, FILE, FOLDER, JOB, LINK, RUN

WORK = "/work"
TEMPORARY = b"/tmp"
# What commands left that prepared the image; see `commands.py`.
KEPT = "/.pyexec"
NAME_OF_PIP = re.compile(rb"\bpip3?\b")


def receive(frames):
    """Unpacks the project; returns the job, and whether pip is named in the project."""
    job, file, speaks_of_pip = None, -1, False
    while True:
        data = os.read(0, CHUNK_BYTES)
        if not data:
            os._exit(1)  # the host is gone
        for kind, content in frames.cut(data):
            if kind == CONTENT:
                # What others do not ask for they do not find in their home folder.
                speaks_of_pip = speaks_of_pip or NAME_OF_PIP.search(content) is not None
                while content:
                    content = content[os.write(file, content) :]
                continue
            if file >= 0:
                os.close(file)
                file = -1
            if kind == JOB:
                job = content
            elif kind == FOLDER:
                os.mkdir(inside(content))
            elif kind == FILE:
                file = os.open(inside(content), os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o644)
            elif kind == LINK:
                path, _, target = content.partition(b"\0")
                os.symlink(target, inside(path))
            elif kind == RUN:
                # The last of its frames until it is told that the job has started.
                return job, speaks_of_pip


def put_in_place(job):
    """Adds to the project and to the job what the commands have left that prepared the image."""
    job["unset"], job["cwd"] = [], WORK
    try:
        with open(f"{KEPT}/left.json", encoding="utf-8", errors="surrogateescape") as file:
            left = json.load(file)
    except FileNotFoundError:
        return
    for path in left["deleted"]:
        try:
            os.rmdir(path) if os.path.isdir(path) and not os.path.islink(path) else os.unlink(path)
        except FileNotFoundError:
            pass
    for folder in (WORK, "/tmp"):
        if os.path.isdir(KEPT + folder):
            copy(KEPT + folder, folder)
    job["env"] += left["env"].items()
    job["unset"], job["cwd"] = left["unset"], left["cwd"]


def copy(folder, target):
    """Copies what is in a folder into another, over what is there."""
    pending = [("", entry) for entry in os.scandir(folder)]
    while pending:
        below, entry = pending.pop()
        path = f"{below}/{entry.name}"
        to = target + path
        if os.path.isdir(to) and not os.path.islink(to):
            if not entry.is_dir(follow_symlinks=False):
                os.rmdir(to)
        elif os.path.lexists(to):
            os.unlink(to)
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), to)
        elif entry.is_dir():
            os.makedirs(to, exist_ok=True)
            pending += ((path, inner) for inner in os.scandir(entry.path))
        else:
            mode = stat.S_IMODE(entry.stat().st_mode) | 0o200
            with open(entry.path, "rb") as file, open(to, "xb") as copied:
                os.fchmod(copied.fileno(), mode)
                while data := file.read(CHUNK_BYTES * 16):
                    copied.write(data)


def inside(path):
    if path.startswith(b"/") or b".." in path.split(b"/"):
        raise OSError(errno.EINVAL, f"not a path in the project: {path!r}")
    return path


def regular_files():
    """Path and status of each regular file in the project and in /tmp, following no links.

    Paths are relative to the project, or absolute. What is hidden in /tmp, which is the home folder, too, is left out.
    """
    pending = [b"", TEMPORARY]
    while pending:
        folder = pending.pop()
        try:
            entries = sorted(os.scandir(folder or WORK.encode()), key=lambda entry: entry.name)
        except OSError:
            continue
        for entry in entries:
            if folder == TEMPORARY and entry.name.startswith(b"."):
                continue
            path = folder + b"/" + entry.name if folder else entry.name
            try:
                status = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISREG(status.st_mode):
                yield path, status
            elif stat.S_ISDIR(status.st_mode) and path.count(b"/") < 64:
                pending.append(path)


def signature(status):
    # The time of the last change cannot be set by a program.
    return status.st_ino, status.st_size, status.st_ctime_ns
