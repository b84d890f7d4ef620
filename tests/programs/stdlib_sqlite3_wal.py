"""A write-ahead log: readers beside a writer, checkpoints, and what is left in the folder."""
import os
import sqlite3


def names():
    return sorted(name for name in os.listdir(".") if name.startswith("w"))


one = sqlite3.connect("w.db", timeout=0)
print(one.execute("pragma journal_mode").fetchone(), one.execute("pragma journal_mode=wal").fetchone())
one.execute("create table t(x)")
one.executemany("insert into t values(?)", [(i,) for i in range(5000)])
one.commit()
print(names())
two = sqlite3.connect("w.db", timeout=0)
cursor = two.execute("select x from t order by x")
print(cursor.fetchone())
one.execute("delete from t where x >= 10")
one.commit()
print(len(cursor.fetchall()), two.execute("select count(*) from t").fetchone())
one.execute("insert into t values(-1)")
print(two.execute("select count(*) from t").fetchone(), one.execute("select count(*) from t").fetchone())
try:
    two.execute("insert into t values(-2)")
except sqlite3.OperationalError as error:
    print(error, error.sqlite_errorname)
one.commit()
two.execute("insert into t values(-2)")
two.commit()
print(one.execute("select min(x), count(*) from t").fetchone())

# A snapshot that is too old to write from.
two.execute("begin")
two.execute("select count(*) from t").fetchone()
one.execute("insert into t values(-3)")
one.commit()
try:
    two.execute("insert into t values(-4)")
except sqlite3.OperationalError as error:
    print(error, error.sqlite_errorname)
two.rollback()
print(one.execute("pragma wal_checkpoint(truncate)").fetchone(), os.stat("w.db-wal").st_size)
print(one.execute("pragma wal_autocheckpoint").fetchone(), two.execute("pragma journal_mode").fetchone())

# Enough for more than one piece of the index.
one.executemany("insert into t values(randomblob(3000))", [()] * 6000)
one.commit()
print(two.execute("select count(*), sum(length(x)) from t where typeof(x) = 'blob'").fetchone())
print(one.execute("pragma integrity_check").fetchone(), two.execute("pragma integrity_check").fetchone())
one.close()
print(names())
two.close()
print(names())

three = sqlite3.connect("w.db")
print(three.execute("pragma journal_mode").fetchone(), three.execute("select count(*) from t").fetchone())
print(three.execute("pragma journal_mode=delete").fetchone(), names())
three.close()
exclusive = sqlite3.connect("w.db")
exclusive.execute("pragma locking_mode=exclusive")
print(exclusive.execute("pragma journal_mode=wal").fetchone())
exclusive.execute("insert into t values(1)")
exclusive.commit()
try:
    sqlite3.connect("w.db", timeout=0).execute("select 1 from t").fetchone()
except sqlite3.OperationalError as error:
    print(error)
exclusive.close()
print(names())
left = sqlite3.connect("w.db")
left.execute("insert into t values(2)")
left.commit()
print(names())
