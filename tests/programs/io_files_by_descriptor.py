"""Folders given by descriptor, modes of new files, links to links, and calls with arguments that are wrong."""
import errno
import os


def tried(call, *arguments, **named):
    try:
        return call(*arguments, **named)
    except OSError as error:
        return errno.errorcode[error.errno]
    except (ValueError, TypeError) as error:
        return f"{type(error).__name__}: {error}"


def mode(path):
    return oct(os.lstat(path).st_mode)


os.umask(0o022)
os.mkdir("folder")
folder = os.open("folder", os.O_RDONLY)

# A mode is that of a new file, whatever is opened after it.
os.close(os.open("new", os.O_CREAT | os.O_WRONLY, 0o600))
os.close(os.open("plain", os.O_CREAT | os.O_WRONLY))
os.close(os.open("plain", os.O_CREAT | os.O_WRONLY, 0o600))
os.mkdir("below", 0o700, dir_fd=folder)
os.close(os.open("file", os.O_CREAT | os.O_WRONLY, 0o640, dir_fd=folder))
print(mode("new"), mode("plain"), mode("folder/below"), mode("folder/file"))
os.chmod("file", 0o604, dir_fd=folder)
print(mode("folder/file"), tried(os.chmod, "missing", 0o600, dir_fd=folder), tried(os.chmod, "x", 0o600, dir_fd=999))
gone = os.open("folder/file", os.O_RDWR)
os.unlink("folder/file")
print(oct(os.fstat(gone).st_mode), os.fstat(gone).st_nlink)
os.fchmod(gone, 0o640)
print(oct(os.fstat(gone).st_mode))

# Links: to what a link leads to, to the link itself, by descriptor.
open("target", "w").close()
os.symlink("target", "link")
os.link("link", "followed")
os.link("link", "itself", follow_symlinks=False)
os.link("target", "by-descriptor", dst_dir_fd=folder)
print(os.path.islink("followed"), os.path.islink("itself"), os.stat("folder/by-descriptor").st_nlink)
print(tried(os.link, "missing", "nowhere/x"), tried(os.link, "target", "link"), tried(os.link, "folder", "x"))
print({os.link, os.mkdir, os.open, os.chmod} - os.supports_dir_fd, os.link in os.supports_follow_symlinks)
try:
    os.link("missing", "other")
except OSError as error:
    print(error, error.filename, error.filename2)

# The last name of a path counts as it is written.
os.symlink("target/", "slash")
for call, arguments in [
    (os.mkdir, ("made/.",)), (os.mkdir, ("folder/.",)), (os.mkdir, ("folder/..",)), (os.mkdir, ("made/",)),
    (os.rmdir, ("folder/.",)), (os.rmdir, ("folder/below/..",)), (os.unlink, ("target/",)), (os.unlink, ("folder/.",)),
    (os.rename, ("target/", "x")), (os.rename, ("target", "x/")), (os.rename, ("folder/.", "x")),
    (os.rename, ("made/", "renamed/")), (os.symlink, ("x", "y/")), (os.symlink, ("x", "folder/")),
    (os.truncate, ("slash", 1)), (os.open, ("x/y/", os.O_CREAT)), (os.open, ("folder/.", os.O_CREAT | os.O_EXCL)),
    (os.open, ("new-link/", os.O_CREAT)),
]:
    print(call.__name__, arguments, tried(call, *arguments))

# Positions.
fd = os.open("target", os.O_RDWR | os.O_APPEND)
print(os.pwrite(fd, b"one", 100), os.lseek(fd, 0, os.SEEK_CUR), os.write(fd, b"two"), os.lseek(fd, 0, os.SEEK_CUR))
print(os.pread(fd, 10, 0), tried(os.lseek, fd, 0, 17), tried(os.lseek, 999, -1, 0), tried(os.lseek, fd, -1, os.SEEK_SET))
print(tried(os.lseek, fd, 2, os.SEEK_DATA), tried(os.lseek, fd, 2, os.SEEK_HOLE), tried(os.lseek, fd, 6, os.SEEK_DATA))
read_only = os.open("target", os.O_RDONLY)
print(tried(os.posix_fallocate, read_only, 0, 1), tried(os.posix_fallocate, fd, 0, 10), os.fstat(fd).st_size)
print(tried(os.readv, 999, []), tried(os.writev, 999, []), tried(os.writev, read_only, []), tried(os.readv, fd, []))
print(tried(os.read, folder, 0), tried(os.write, read_only, b""))

# Folders that are open.
print(tried(os.fchdir, open("target")), tried(os.fchdir, -1), tried(os.fchdir, "folder"), tried(os.fchdir, 999))
os.fchdir(folder)
print(os.path.basename(os.getcwd()))
os.chdir("..")
os.unlink("folder/by-descriptor")
os.rmdir("folder/below")
os.rmdir("folder")
print(os.listdir(folder), tried(os.stat, "x", dir_fd=folder))
