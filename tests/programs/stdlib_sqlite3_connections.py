"""Several connections to one file: who may read, who may write, and when the database is locked."""
import os
import sqlite3
import time
from contextlib import closing


def attempt(what, action):
    try:
        print(what, "->", action())
    except sqlite3.Error as error:
        print(what, "->", type(error).__name__, error, error.sqlite_errorname)


with sqlite3.connect("shop.db") as c:
    c.executescript(
        "create table u(id integer primary key, n text);"
        "create table o(u int, v real);"
        "insert into u(n) values('a'),('b'),('c');"
        "insert into o values(1,2.5),(1,3),(2,4);"
    )


def total(user):
    with closing(sqlite3.connect("shop.db")) as c:
        return c.execute("select sum(v) from o where u=?", (user,)).fetchone()[0]


outer = sqlite3.connect("shop.db")
for i, n in outer.execute("select id, n from u"):
    print(n, total(i), [row[0] for row in outer.execute("select v from o where u = ?", (i,))])

# An uncommitted writer beside a reader: the reader sees the old state.
writer = sqlite3.connect("shop.db", timeout=0.05)
reader = sqlite3.connect("shop.db", timeout=0.05)
writer.execute("update u set n = 'A' where id = 1")
print(reader.execute("select n from u").fetchall(), writer.in_transaction, reader.in_transaction)
print(sorted(os.listdir(".")))
attempt("second writer", lambda: reader.execute("insert into u(n) values('x')").rowcount)
reader.rollback()

# An open cursor holds a shared lock: the commit has to wait, and gives up.
cursor = reader.execute("select n from u")
cursor.fetchone()
began = time.monotonic()
attempt("commit beside a reader", writer.commit)
print(0.04 < time.monotonic() - began < 2)
attempt("third reader while a commit is pending", lambda: sqlite3.connect("shop.db", timeout=0).execute("select 1 from u").fetchone())
cursor.close()
attempt("commit", writer.commit)
print(reader.execute("select n from u").fetchall())
attempt("journal is gone", lambda: sorted(os.listdir(".")))

for kind in ("deferred", "immediate", "exclusive"):
    one = sqlite3.connect("shop.db", timeout=0, isolation_level=None)
    two = sqlite3.connect("shop.db", timeout=0, isolation_level=None)
    one.execute(f"begin {kind}")
    attempt(f"{kind}: other reads", lambda: two.execute("select count(*) from u").fetchone())
    attempt(f"{kind}: other begins", lambda: two.execute("begin immediate").rowcount)
    two.close()
    one.execute("rollback")
    one.close()

# Rolled back by closing.
gone = sqlite3.connect("shop.db")
gone.execute("delete from u")
gone.close()
print(reader.execute("select count(*) from u").fetchone())

# Attached, copied, temporary.
with closing(sqlite3.connect("other.db")) as other:
    other.execute("attach 'shop.db' as shop")
    other.execute("create table copy as select * from shop.u")
    other.commit()
    other.execute("create temp table t(x)")
    other.executemany("insert into t values(?)", [(i,) for i in range(1000)])
    print(other.execute("select count(*), sum(x) from t").fetchone(), sorted(os.listdir(".")))
    with closing(sqlite3.connect("backup.db")) as target:
        other.backup(target, pages=1)
        print(target.execute("select n from copy order by id").fetchall())
    other.execute("detach shop") if not other.in_transaction else other.rollback()
other = sqlite3.connect("file:shop.db?mode=ro", uri=True)
attempt("read only", lambda: other.execute("insert into u(n) values('x')"))
attempt("no such file", lambda: sqlite3.connect("file:missing.db?mode=ro", uri=True))
shared = [sqlite3.connect("file:m?mode=memory&cache=shared", uri=True) for _ in range(2)]
shared[0].execute("create table x(a)")
shared[0].execute("insert into x values(1)")
shared[0].commit()
print(shared[1].execute("select a from x").fetchall())
with sqlite3.connect("shop.db") as big:
    big.execute("create table big(b)")
    big.executemany("insert into big values(randomblob(?))", [(5000,)] * 500)
    print(big.execute("pragma integrity_check").fetchone(), big.execute("select count(distinct b) from big").fetchone())
big.execute("drop table big")
big.commit()
big.execute("vacuum")
for c in (outer, writer, reader, other, big, *shared):
    c.close()
print(sorted(os.listdir(".")), os.stat("shop.db").st_size)
