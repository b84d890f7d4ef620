"""Does random things with files and prints what came of each: the same must be printed in the sandbox and on Linux.

Run as: model.py SEED SEQUENCES OPERATIONS. In the sandbox, what the quota counts is compared with the files themselves.
"""
import errno
import hashlib
import os
import random
import shutil
import stat
import sys

SEED, SEQUENCES, OPERATIONS = map(int, sys.argv[1:4])
IN_SANDBOX = sys.platform == "linux" and os.path.isdir("/usr/lib/python3.14") and os.getcwd() == "/work"
ROOT = os.getcwdb()
TOP = ROOT + b"/model/of/all"
OLD = 946_684_800  # Times that utime sets are older than this year, so that they are told from the present.

NAMES = [b"a", b"b", b"c", b"sub", b"sub", b"deep"]
WEIRD = [
    b"\xff\xfe", b"caf\xc3\xa9", b"new\nline", b" ", b"a b", b"-rf", b"*", b"\\", b"...", b"..a", b"a.", b"~",
    b"n" * 255, b"n" * 256, b"\xe2\x82\xac" * 85, b"con", b"%2e%2e", b"$HOME", b"\x01\x1b[31m", b"a:b", b"a;b|c", b"\"q'",
]


# How much more often than others these are done.
OFTEN = {"do_open": 8, "do_write": 3, "do_mkdir": 4, "do_rename": 3, "do_file": 3, "do_symlink": 2, "do_link": 2}


def errors(call, *arguments, **named):
    """Returns what a call gives, or the name of its error."""
    try:
        return call(*arguments, **named)
    except OSError as error:
        return errno.errorcode.get(error.errno, str(error.errno))
    except (ValueError, NotImplementedError, TypeError, OverflowError) as error:
        return type(error).__name__


class Outside(Exception):
    """A path leads out of the folder of the test, where nothing may be changed."""


class Sequence:
    def __init__(self, seed):
        self.random = random.Random(seed)
        self.open = []
        self.count = 0

    # What operations are about.

    def name(self):
        r = self.random
        if r.random() < 0.08:
            return r.choice(WEIRD)
        return r.choice(NAMES)

    def inner_path(self):
        """Returns a path from the present folder that stays inside."""
        path = self.path()
        real = os.path.realpath(path) if b"\0" not in path else ROOT
        if real != ROOT and not real.startswith(ROOT + b"/"):
            raise Outside
        return path

    def path(self, odd=True):
        """Returns a path relative to the present folder, of some names, now and then an odd one."""
        r = self.random
        names = [self.name() for _ in range(r.choice((1, 1, 1, 1, 2, 2, 2, 3)))]
        if r.random() < 0.10:
            names.insert(r.randrange(1, len(names) + 1), r.choice((b".", b"..", b"..", b"")))
        path = b"/".join(names)
        if r.random() < 0.07:
            path += r.choice((b"/", b"/.", b"/..", b"//"))
        if r.random() < 0.05:
            path = b"./" + path
        if r.random() < 0.10:
            path = TOP + b"/" + path
        if odd and r.random() < 0.01:
            path = r.choice((b"", b"..", TOP, b"x/" * 2100, b"a" * 5000, b"a\0b", b"../all", TOP + b"//"))
        return path

    def descriptor(self):
        """Returns an open descriptor, or rarely one that is not."""
        r = self.random
        if not self.open or r.random() < 0.02:
            return r.choice((900, 100_000))
        return r.choice(self.open)

    def near(self, name, path):
        """Returns the folder that a path starts from: mostly the present one."""
        near = {name: self.descriptor()} if self.random.random() < 0.25 else {}
        start = b"/proc/self/fd/%d" % near[name] if near else b"."
        real = os.path.realpath(os.path.join(start, path)) if b"\0" not in path else ROOT
        if real != ROOT and not real.startswith(ROOT + b"/"):
            raise Outside
        return near

    def flags(self):
        r = self.random
        flags = r.choice((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY, os.O_RDWR, os.O_RDWR))
        for flag, likely in (
            (os.O_CREAT, 0.5), (os.O_EXCL, 0.15), (os.O_TRUNC, 0.2), (os.O_APPEND, 0.2), (os.O_DIRECTORY, 0.12),
            (os.O_NOFOLLOW, 0.12), (os.O_NONBLOCK, 0.05), (os.O_CLOEXEC, 0.05), (os.O_SYNC, 0.03),
        ):
            if r.random() < likely:
                flags |= flag
        if flags & os.O_CREAT:
            flags &= ~os.O_DIRECTORY  # which kernels before 6.4 took
        return flags

    def number(self):
        r = self.random
        return r.choice((0, 0, 1, 3, 7, 10, 100, 511, 4096, 5000, r.randrange(20_000), 70_000))

    def offset(self):
        r = self.random
        if r.random() < 0.04:
            return r.choice((-1, -5, 1 << 31, 1 << 40, (1 << 63) - 1, -(1 << 63)))
        return self.number()

    def bytes(self):
        r = self.random
        return bytes([r.randrange(256)]) * r.choice((0, 1, 2, 5, 10, 100, 511, 4096, 5000))

    def time(self):
        r = self.random
        return r.choice((0, 1, 10**9, 1_234_567_890, r.randrange(OLD * 10**9)))

    # How results are told.

    def told(self, value):
        if isinstance(value, os.stat_result):
            return self.stat(value)
        if isinstance(value, bytes):
            value = value.replace(ROOT, b"ROOT")
            if len(value) > 40:
                return f"{len(value)} bytes {hashlib.sha256(value).hexdigest()[:8]}"
        if isinstance(value, list):
            return [self.told(item) for item in value]
        return value

    def stat(self, value):
        kind = stat.S_IFMT(value.st_mode)
        told = [oct(value.st_mode), value.st_nlink]
        if kind == stat.S_IFREG:
            told.append(value.st_size)
        modified = value.st_mtime_ns
        told.append(modified if modified <= OLD * 10**9 else "now")
        return told

    def done(self, name, result, *arguments):
        arguments = " ".join(str(self.told(argument)) for argument in arguments)
        print(f"{self.count} {name} {arguments} -> {self.told(result)}")
        self.count += 1
        return result

    def at(self, fd):
        """Returns what a descriptor is called in the transcript: its number is the system's own."""
        return f"#{self.open.index(fd)}" if fd in self.open else str(fd)

    def told_near(self, near):
        return {name: self.at(fd) for name, fd in near.items()} or ""

    # The operations.

    def do_open(self):
        path, flags = self.path(), self.flags()
        near = self.near("dir_fd", path)
        mode = self.random.choice((0o666, 0o777, 0o600, 0o400, 0o000))
        fd = errors(os.open, path, flags, mode, **near)
        told_near = self.told_near(near)
        if isinstance(fd, int):
            self.open.append(fd)
            self.done("open", self.stat(os.fstat(fd)), path, hex(flags), oct(mode), told_near)
        else:
            self.done("open", fd, path, hex(flags), oct(mode), told_near)

    def do_close(self):
        fd = self.descriptor()
        told = self.at(fd)
        result = errors(os.close, fd)
        if fd in self.open:
            self.open.remove(fd)
        self.done("close", result, told)

    def do_dup(self):
        fd = self.descriptor()
        told = self.at(fd)
        new = errors(os.dup, fd)
        if isinstance(new, int):
            self.open.append(new)
            new = "new"
        self.done("dup", new, told)

    def do_dup2(self):
        old, new = self.descriptor(), self.descriptor()
        if new not in self.open:
            return
        told = self.at(old), self.at(new)
        result = errors(os.dup2, old, new)
        self.done("dup2", "done" if isinstance(result, int) else result, *told)

    def do_read(self):
        fd, length = self.descriptor(), self.number()
        self.done("read", errors(os.read, fd, length), self.at(fd), length)

    def do_write(self):
        fd, content = self.descriptor(), self.bytes()
        self.done("write", errors(os.write, fd, content), self.at(fd), content)

    def do_pread(self):
        fd, length, offset = self.descriptor(), self.number(), self.offset()
        if fd in self.open and stat.S_ISDIR(os.fstat(fd).st_mode):
            offset = 0
        self.done("pread", errors(os.pread, fd, length, offset), self.at(fd), length, offset)

    def do_pwrite(self):
        fd, content, offset = self.descriptor(), self.bytes(), self.offset()
        if offset < 1 << 30:
            self.done("pwrite", errors(os.pwrite, fd, content, offset), self.at(fd), content, offset)

    def do_readv(self):
        fd = self.descriptor()
        into = [bytearray(self.number()) for _ in range(self.random.randrange(4))]
        if not any(into) and fd in self.open and stat.S_ISDIR(os.fstat(fd).st_mode):
            return  # some kernels look at the folder first, others at the length
        result = errors(os.readv, fd, into)
        self.done("readv", result, self.at(fd), *map(bytes, into))

    def do_writev(self):
        fd, content = self.descriptor(), [self.bytes() for _ in range(self.random.randrange(4))]
        self.done("writev", errors(os.writev, fd, content), self.at(fd), *content)

    def do_preadv(self):
        fd, offset = self.descriptor(), self.number()
        into = [bytearray(self.number()) for _ in range(self.random.randrange(4))]
        if not any(into) and fd in self.open and stat.S_ISDIR(os.fstat(fd).st_mode):
            return  # some kernels look at the folder first, others at the length
        result = errors(os.preadv, fd, into, offset)
        self.done("preadv", result, self.at(fd), offset, *map(bytes, into))

    def do_pwritev(self):
        fd, content, offset = self.descriptor(), [self.bytes() for _ in range(self.random.randrange(4))], self.number()
        self.done("pwritev", errors(os.pwritev, fd, content, offset), self.at(fd), offset, *content)

    def do_lseek(self):
        fd, offset = self.descriptor(), self.offset()
        whence = self.random.choice((os.SEEK_SET, os.SEEK_CUR, os.SEEK_END, 17))
        if self.random.random() < 0.3:
            offset = -offset
        if fd in self.open and stat.S_ISDIR(os.fstat(fd).st_mode):
            return  # positions in folders are the file system's own
        self.done("lseek", errors(os.lseek, fd, offset, whence), self.at(fd), offset, whence)
        if fd in self.open and isinstance(errors(os.lseek, fd, 0, os.SEEK_CUR), int) and os.lseek(fd, 0, 1) > 1 << 30:
            os.lseek(fd, 0, os.SEEK_SET)

    def do_ftruncate(self):
        fd, length = self.descriptor(), self.offset()
        if length < 1 << 30:
            self.done("ftruncate", errors(os.ftruncate, fd, length), self.at(fd), length)

    def do_truncate(self):
        path, length = self.inner_path(), self.number()
        self.done("truncate", errors(os.truncate, path, length), path, length)

    def do_allocate(self):
        fd, offset, length = self.descriptor(), self.number(), self.number()
        self.done("allocate", errors(os.posix_fallocate, fd, offset, length), self.at(fd), offset, length)
        errors(os.utime, fd, ns=(1, 2))  # not every file system counts it as a change

    def do_fsync(self):
        fd, call = self.descriptor(), self.random.choice((os.fsync, os.fdatasync))
        self.done("fsync", errors(call, fd), self.at(fd))

    def do_fstat(self):
        fd = self.descriptor()
        self.done("fstat", errors(os.fstat, fd), self.at(fd))

    def do_stat(self):
        path, follow = self.path(), self.random.random() < 0.6
        near = self.near("dir_fd", path)
        result = errors(os.stat, path, follow_symlinks=follow, **near)
        self.done("stat", result, path, follow, self.told_near(near))

    def do_access(self):
        path, mode = self.path(), self.random.choice((os.F_OK, os.R_OK, os.W_OK))
        near = self.near("dir_fd", path)
        self.done("access", errors(os.access, path, mode, **near), path, mode, self.told_near(near))

    def do_mkdir(self):
        path, mode = self.path(), self.random.choice((0o777, 0o777, 0o700, 0o555))
        near = self.near("dir_fd", path)
        self.done("mkdir", errors(os.mkdir, path, mode, **near), path, oct(mode), self.told_near(near))

    def do_rmdir(self):
        path = self.path()
        near = self.near("dir_fd", path)
        self.done("rmdir", errors(os.rmdir, path, **near), path, self.told_near(near))

    def do_unlink(self):
        path = self.path()
        near = self.near("dir_fd", path)
        self.done("unlink", errors(os.unlink, path, **near), path, self.told_near(near))

    def do_rename(self):
        # Which of two that are wrong is told first is settled by the order in which the kernel copies them.
        old, new = self.path(odd=False), self.path(odd=False)
        near = self.near("src_dir_fd", old) | self.near("dst_dir_fd", new)
        result = errors(os.rename, old, new, **near)
        self.done("rename", result, old, new, self.told_near(near))

    def do_link(self):
        old, new, follow = self.path(odd=False), self.path(odd=False), self.random.random() < 0.2
        near = self.near("src_dir_fd", old) | self.near("dst_dir_fd", new)
        result = errors(os.link, old, new, follow_symlinks=follow, **near)
        self.done("link", result, old, new, follow, self.told_near(near))

    def do_symlink(self):
        target, path = self.path(), self.path()
        near = self.near("dir_fd", path)
        self.done("symlink", errors(os.symlink, target, path, **near), target, path, self.told_near(near))

    def do_readlink(self):
        path = self.path()
        near = self.near("dir_fd", path)
        self.done("readlink", errors(os.readlink, path, **near), path, self.told_near(near))

    def do_utime(self):
        path, follow = self.path(), self.random.random() < 0.6
        near = self.near("dir_fd", path)
        times = self.random.choice((None, (self.time(), self.time())))
        named = {"ns": times} if times else {}
        result = errors(os.utime, path, follow_symlinks=follow, **named, **near)
        self.done("utime", result, path, times, follow, self.told_near(near))

    def do_futime(self):
        fd, times = self.descriptor(), (self.time(), self.time())
        self.done("futime", errors(os.utime, fd, ns=times), self.at(fd), times)

    def do_chmod(self):
        path = self.path()
        near = self.near("dir_fd", path)
        mode = self.random.choice((0o600, 0o755, 0o444, 0o000, 0o4755, 0o1777))
        self.done("chmod", errors(os.chmod, path, mode, **near), path, oct(mode), self.told_near(near))

    def do_fchmod(self):
        fd, mode = self.descriptor(), self.random.choice((0o600, 0o755, 0o444))
        self.done("fchmod", errors(os.fchmod, fd, mode), self.at(fd), oct(mode))

    def do_umask(self):
        mask = self.random.choice((0o022, 0o022, 0o077, 0o000))
        self.done("umask", oct(os.umask(mask)), oct(mask))

    def do_listdir(self):
        path = self.inner_path()
        result = errors(os.listdir, path)
        self.done("listdir", sorted(result) if isinstance(result, list) else result, path)

    def do_listdir_of_descriptor(self):
        fd = self.descriptor()
        result = errors(os.listdir, fd)
        self.done("flistdir", sorted(result) if isinstance(result, list) else result, self.at(fd))

    def do_scandir(self):
        path = self.inner_path()

        def scan():
            with os.scandir(path) as entries:
                return sorted(
                    (e.name, e.is_dir(), e.is_symlink(), e.is_file(), e.inode() == e.stat(follow_symlinks=False).st_ino)
                    for e in entries
                )

        result = errors(scan)
        self.done("scandir", result if isinstance(result, str) else list(map(str, result)), path)

    def do_chdir(self):
        path = self.random.choice((TOP, TOP, self.inner_path()))
        self.done("chdir", errors(os.chdir, path), path)
        self.done("getcwd", errors(os.getcwdb))
        if errors(os.stat, b".") == "ENOENT" or not errors(os.getcwdb).startswith(TOP):
            os.chdir(TOP)

    def do_fchdir(self):
        fd = self.descriptor()
        self.done("fchdir", errors(os.fchdir, fd), self.at(fd))
        where = errors(os.getcwdb)
        self.done("getcwd", where)
        if not isinstance(where, bytes) or not where.startswith(TOP):
            os.chdir(TOP)

    def do_realpath(self):
        path = self.inner_path()
        self.done("realpath", errors(os.path.realpath, path), path)

    def do_isatty(self):
        fd = self.descriptor()
        self.done("isatty", errors(os.isatty, fd), self.at(fd))

    def do_file(self):
        """Writes a file as most programs do."""
        path, content = self.inner_path(), self.bytes()
        mode = self.random.choice(("wb", "ab", "r+b", "xb", "w+b", "a+b"))

        def write():
            with open(path, mode) as file:
                file.write(content)
                file.seek(0)
                return file.tell(), file.truncate() if self.random.random() < 0.1 else None

        self.done("file", errors(write), path, mode, content)

    # All of it.

    def tree(self):
        """Prints all that there is."""
        for folder, folders, files in os.walk(ROOT + b"/model"):
            folders.sort()
            for name in sorted(folders + files):
                path = folder + b"/" + name
                told = self.stat(os.lstat(path))
                if stat.S_ISREG(os.lstat(path).st_mode):
                    with open(path, "rb") as file:
                        told.append(hashlib.file_digest(file, "sha256").hexdigest()[:8])
                if os.path.islink(path):
                    told += [self.told(os.readlink(path)), os.lstat(path).st_size == len(os.readlink(path))]
                print(f"  {self.told(path)} {told}")

    def used(self):
        """Returns how many bytes and names the present files take, those included that are only open."""
        sizes, names = {}, 0
        for folder, folders, files in os.walk(ROOT):
            for name in folders + files:
                names += 1
                found = os.lstat(folder + b"/" + name)
                if stat.S_ISREG(found.st_mode):
                    sizes[found.st_ino] = found.st_size
        for fd in self.open:
            found = os.fstat(fd)
            if stat.S_ISREG(found.st_mode):
                sizes[found.st_ino] = found.st_size
        return sum(sizes.values()), names

    def check_quota(self):
        if IN_SANDBOX:
            found = os.statvfs(ROOT)
            counted = (found.f_blocks - found.f_bfree) * found.f_frsize, found.f_files - found.f_ffree
            bytes, names = self.used()
            bytes = -(-bytes // found.f_frsize) * found.f_frsize
            if counted != (bytes, names):
                print(f"  quota counts {counted}, and there are {(bytes, names)}")

    def run(self):
        os.umask(0o022)
        os.makedirs(TOP)
        os.chdir(TOP)
        # Something to begin with.
        for folder in (b"a", b"sub", b"sub/deep"):
            os.mkdir(folder)
        for path in (b"b", b"sub/c", b"sub/deep/a"):
            self.open.append(os.open(path, os.O_RDWR | os.O_CREAT, 0o666))
            os.write(self.open[-1], path * 100)
        self.open.append(os.open(b"sub", os.O_RDONLY | os.O_DIRECTORY))
        operations = sorted(name for name in dir(self) if name.startswith("do_"))
        weights = [OFTEN.get(name, 1) for name in operations]
        for n, name in enumerate(self.random.choices(operations, weights, k=OPERATIONS)):
            try:
                getattr(self, name)()
            except Outside:
                print("outside")
            if n % 50 == 49:
                self.check_quota()
        self.tree()
        for fd in self.open:
            errors(os.close, fd)
        self.open.clear()
        self.check_quota()
        os.chdir(ROOT)
        os.umask(0o022)
        shutil.rmtree(ROOT + b"/model")
        self.check_quota()



for n in range(SEQUENCES):
    print(f"sequence {SEED + n}")
    Sequence(SEED + n).run()
