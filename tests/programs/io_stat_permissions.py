import os
import stat

with open("f.txt", "w") as fh:
    fh.write("x" * 10)
os.chmod("f.txt", 0o640)
print(oct(stat.S_IMODE(os.stat("f.txt").st_mode)), stat.filemode(os.stat("f.txt").st_mode))
os.chmod("f.txt", stat.S_IRUSR | stat.S_IWUSR | stat.S_IXUSR)
print(oct(stat.S_IMODE(os.stat("f.txt").st_mode)), os.access("f.txt", os.X_OK))
os.mkdir("d", 0o755)
st = os.stat("d")
print(stat.S_ISDIR(st.st_mode), stat.S_ISREG(st.st_mode), stat.S_IFMT(st.st_mode) == stat.S_IFDIR)
for mode in (0o100755, 0o40700, 0o120777, 0o104755, 0o41777, 0o20620, 0o60660, 0o10644, 0o140755):
    print(oct(mode), stat.filemode(mode))
s = os.stat("f.txt")
print(s.st_size, s[stat.ST_SIZE], len(s), isinstance(s.st_mtime_ns, int), s.st_nlink)
print(os.stat("f.txt", follow_symlinks=False).st_ino == s.st_ino)
os.utime("f.txt", ns=(5_000_000_000, 7_123_456_789))
s = os.stat("f.txt")
print(s.st_atime, s.st_mtime, s.st_mtime_ns)
old = os.umask(0o027)
with open("masked.txt", "w"):
    pass
os.mkdir("masked_dir")
print(oct(os.stat("masked.txt").st_mode & 0o777), oct(os.stat("masked_dir").st_mode & 0o777), oct(os.umask(old)))
os.symlink("nowhere", "dangling")
print(os.path.exists("dangling"), os.path.lexists("dangling"), stat.S_ISLNK(os.lstat("dangling").st_mode))
try:
    os.stat("dangling")
except FileNotFoundError as e:
    print(e)
os.symlink("loop2", "loop1")
os.symlink("loop1", "loop2")
try:
    open("loop1")
except OSError as e:
    print(type(e).__name__, e.strerror)
