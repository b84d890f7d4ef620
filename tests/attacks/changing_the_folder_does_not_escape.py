#: promise = "chdir cannot leave the folders of the job, and neither can a job whose folder is gone"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

start = os.getcwd()
for climb in ("..", "../..", "/", "../" * 30, "//", "/usr", "/usr/lib", "/usr/lib/python3.14/.."):
    os.chdir(start)
    try:
        os.chdir(climb)
    except OSError:
        pass
    for path in ("etc/passwd", "../etc/passwd", "../../etc/passwd", "home", "proc/self/environ"):
        try:
            os.stat(path)
        except OSError:
            continue
        raise AssertionError(f"{path} is visible from {climb}")
os.chdir(start)
os.mkdir("gone")
os.chdir("gone")
os.rmdir("../gone")
for path in ("../../etc/passwd", "../../../etc/passwd"):
    try:
        open(path)
    except OSError:
        continue
    raise AssertionError(f"{path} is visible")
print("ok")
