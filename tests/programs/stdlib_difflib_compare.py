import difflib

OLD = """\
def area(r):
    pi = 3.14
    return pi * r * r

print(area(2))
""".splitlines(keepends=True)
NEW = """\
import math

def area(radius):
    return math.pi * radius * radius

print(area(2))
print(area(3))
""".splitlines(keepends=True)

print("".join(difflib.unified_diff(OLD, NEW, "a/area.py", "b/area.py", "2024-01-01", "2024-01-02", n=1)), end="")
print("".join(difflib.ndiff(OLD, NEW)), end="")
print("".join(difflib.context_diff(OLD, NEW, "old", "new")), end="")

sm = difflib.SequenceMatcher(None, "private Thread currentThread;", "private volatile Thread thread;")
print(round(sm.ratio(), 6), round(sm.quick_ratio(), 6), sm.real_quick_ratio().__round__(6))
for tag, i1, i2, j1, j2 in sm.get_opcodes():
    print(f"{tag:8} {sm.a[i1:i2]!r:20} -> {sm.b[j1:j2]!r}")
print(sm.find_longest_match(), list(sm.get_matching_blocks())[-1])

commands = ["status", "commit", "checkout", "cherry-pick", "clone", "config"]
for typo in ("comit", "chekout", "stats", "zzz", "conf"):
    print(typo, "->", difflib.get_close_matches(typo, commands))
delta = list(difflib.ndiff(["one\n", "two\n"], ["ore\n", "two\n", "tree\n"]))
print(list(difflib.restore(delta, 1)), list(difflib.restore(delta, 2)))
html = difflib.HtmlDiff(wrapcolumn=40).make_table(["a\n"], ["b\n"], context=False)
print(html.count("<td"), "diff_chg" in html)
