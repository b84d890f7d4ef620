import filecmp
import fnmatch
import glob
import os
import re

for d in ("left/sub", "right/sub", "left/only_l"):
    os.makedirs(d)
for path, text in {
    "left/same.txt": "same", "right/same.txt": "same", "left/diff.py": "1", "right/diff.py": "22", "left/l.txt": "l",
    "right/r.txt": "r", "left/sub/x1.txt": "x", "right/sub/x1.txt": "y", "left/sub/[odd].txt": "o", "left/.dot": "d",
}.items():
    with open(path, "w") as fh:
        fh.write(text)

for pat in ("left/*", "*/*.txt", "**/*.txt", "left/**", "*/sub/x[0-9].txt", "left/sub/[[]odd].txt", "left/.*", "nope*", "left/?.txt"):
    print(f"{pat:24}", sorted(glob.glob(pat, recursive=True)))
print(sorted(glob.glob("*.txt", root_dir="left")), sorted(glob.iglob("**/*", recursive=True, include_hidden=True))[:3], glob.escape("[a]*?"))
print(re.fullmatch(glob.translate("*.py"), "a.py") is not None, glob.has_magic("a?b"))

names = ["Data.CSV", "data.csv", "notes.txt", "img_01.png", "img_1a.png", "archive.tar.gz"]
for pat in ("*.csv", "img_[0-9][0-9].*", "[!id]*", "*.t??.*", "*"):
    print(pat, fnmatch.filter(names, pat), fnmatch.filterfalse(names, pat)[:2], [n for n in names if fnmatch.fnmatchcase(n, pat)])
print(fnmatch.translate("a*[!b]?.py"))

print(filecmp.cmp("left/same.txt", "right/same.txt", shallow=False), filecmp.cmp("left/diff.py", "right/diff.py"))
match, mismatch, errors = filecmp.cmpfiles("left", "right", ["same.txt", "diff.py", "gone"], shallow=False)
print(match, mismatch, errors)
dc = filecmp.dircmp("left", "right", shallow=False)
print(dc.left_only, dc.right_only, dc.common_files, dc.common_dirs, dc.diff_files, dc.same_files, sorted(dc.subdirs))
dc.report_full_closure()
