#: promise = "Links to links, each climbing a little, do not add up to an escape"
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os

os.makedirs("a/b/c/d")
steps = [("a/b/c/d/up", ".."), ("a/b/c/up", ".."), ("a/b/up", ".."), ("a/up", ".."), ("up", ".."), ("short", "a/b/c/d/up/up/up/up/up")]
steps += [("far", "short/.."), ("farther", "far/../.."), ("a/round", "../a/round/.."), ("swap", "a")]
for link, target in steps:
    try:
        os.symlink(target, link)
    except OSError:
        pass
starts = ["a/b/c/d/up/up/up/up/up", "short", "far", "farther", "a/round", "a/up/up", "up", "swap/../..", "swap/up/.."]
for start in starts:
    for rest in ("etc/passwd", "../etc/passwd", "home", "../home", "proc/self/environ"):
        for look in (open, os.stat, os.listdir):
            try:
                look(f"{start}/{rest}")
            except OSError:
                continue
            raise AssertionError(f"{start}/{rest} is visible")
print("ok")
