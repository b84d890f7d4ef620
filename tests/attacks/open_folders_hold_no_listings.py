#: promise = "Any number of folders is open at once, each read a little, without the host keeping what is in them"
#: files = 4000
#: wall_clock_ms = 20000
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import errno
import os

os.mkdir("d")
for number in range(3000):
    os.close(os.open(f"d/{number:06}{'n' * 249}", os.O_CREAT | os.O_WRONLY))
scans, first = [], set()
try:
    while True:
        scans.append(os.scandir("d"))
        first.add(next(scans[-1]).name)
except OSError as error:
    assert error.errno == errno.EMFILE, error
assert 900 < len(scans) < 1100, len(scans)
seen = first | {entry.name for entry in scans[0]}
assert len(seen) == 3000, len(seen)
print("ok")
