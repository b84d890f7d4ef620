#: promise = "A job that deletes all its files and its own folder ends normally, and stdout still works"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os
import shutil
import tempfile

if len(os.listdir(".")) > 3:
    raise SystemExit("run this in a folder of its own")
for name in os.listdir("."):
    shutil.rmtree(name) if os.path.isdir(name) else os.remove(name)
assert os.listdir(".") == []
for remove in (lambda: os.rmdir(os.getcwd()), lambda: os.rmdir("."), lambda: os.rmdir("/tmp/."), lambda: os.rmdir("/usr")):
    try:
        remove()
    except OSError:
        pass
try:
    open("again", "w").close()
    tempfile.mkstemp()
except OSError:
    pass
print("ok")
