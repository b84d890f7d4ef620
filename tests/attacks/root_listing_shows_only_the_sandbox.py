#: promise = "Listing the folders above the project is refused or shows nothing of the host"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import glob
import os

top = {"work", "tmp", "usr", "dev", "mnt", "proc"}
allowed = {"/": top, "..": top, "/mnt": {"data"}, "/proc": {"self"}, "/proc/self": {"fd"}, "/usr": {"bin", "lib", "share"}, "/usr/lib": {"python3.14"}}
allowed |= {"/work/..": allowed["/"], "/tmp/..": allowed["/"], "../..": allowed["/"], "/usr/lib/python3.14/..": allowed["/usr/lib"]}
for folder, names in allowed.items():
    try:
        seen = set(os.listdir(folder))
    except OSError:
        continue
    assert seen <= names, f"{folder} shows {sorted(seen - names)}"
strange = [path for path in glob.glob("/*/*") if not path.startswith(("/work/", "/tmp/", "/usr/bin", "/usr/lib", "/usr/share", "/dev/", "/mnt/data", "/proc/self"))]
assert not strange, strange
for top, folders, files in os.walk("/"):
    assert top == "/" or top.startswith(("/work", "/tmp", "/usr", "/dev", "/mnt", "/proc/self")) or top == "/proc", top
    if top.startswith("/usr/lib/python3.14"):
        folders.clear()
print("ok")
