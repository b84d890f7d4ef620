#: promise = "Links that lead to each other, and a long chain of links, fail cleanly or are followed"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

loops = [("a", "b"), ("b", "a"), ("self", "self"), ("under", "under/under"), ("dot", "./dot/../dot")]
for link, target in loops:
    try:
        os.symlink(target, link)
    except OSError:
        continue
open("link0", "w").close()
for number in range(200):
    try:
        os.symlink(f"link{number}", f"link{number + 1}")
    except OSError:
        break
for path in ("a", "b", "self", "under", "dot", "a/x", "self/self/self"):
    for look in (open, os.stat, os.listdir, os.chdir):
        try:
            look(path)
        except OSError:
            continue
        raise AssertionError(f"{path} was resolved")
    os.path.realpath(path)
try:
    open("link200").close()
except OSError:
    pass
print("ok")
