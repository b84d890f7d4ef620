import dbm.dumb
import os
import shelve

with dbm.dumb.open("cache", "c") as db:
    db["alpha"] = "1"
    db[b"beta"] = b"\x00binary\xff"
    db["gamma"] = "é"
    print(sorted(db.keys()), db["beta"], db.get("nope", b"default"), len(db), "alpha" in db)
    del db["alpha"]
with dbm.dumb.open("cache", "r") as db:
    print({k: db[k] for k in sorted(db.keys())})
    try:
        db["x"] = "y"
    except dbm.dumb.error as e:
        print("error:", e)
print(sorted(f for f in os.listdir() if f.startswith("cache")))
try:
    dbm.dumb.open("missing", "r")
except OSError as e:
    print(type(e).__name__, e.errno)


class Store(shelve.Shelf):
    def __init__(self, name, flag="c", **kw):
        super().__init__(dbm.dumb.open(name, flag), **kw)


with Store("shelf") as s:
    s["config"] = {"a": [1, 2, 3], "b": None}
    s["tuple"] = (1, "two", 3.0)
    s["config"]["a"].append(4)
    print(s["config"])
with Store("shelf", writeback=True) as s:
    s["config"]["a"].append(5)
    s.setdefault("new", set()).add(7)
with Store("shelf") as s:
    for key in sorted(s):
        print(key, "=", s[key])
    del s["tuple"]
    print(len(s), "tuple" in s)
    try:
        s["lambda"] = lambda: 0
    except Exception as e:
        print(type(e).__name__)
try:
    s["config"]
except ValueError as e:
    print("ValueError:", e)
