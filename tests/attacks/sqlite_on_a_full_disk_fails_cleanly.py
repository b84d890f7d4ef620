#: promise = "A database that fills the disk raises an error, and what was committed is still there"
#: wall_clock_ms = 20000
#: disk_mb = 4
#: outcome = ["completed"]
#: exit_code = 0
#: stdout = "ok\n"
import os
import sqlite3

database = sqlite3.connect("data.db")
database.execute("CREATE TABLE t(x)")
rows = 0
try:
    while rows < 10_000:
        with database:
            database.execute("INSERT INTO t VALUES (randomblob(100000))")
        rows += 1
except sqlite3.Error as error:
    assert "full" in str(error) or "I/O" in str(error), error
assert 5 <= rows <= 45, rows
database.close()
database = sqlite3.connect("data.db")
assert database.execute("SELECT count(*), sum(length(x)) FROM t").fetchone() == (rows, rows * 100_000)
database.close()
os.remove("data.db")
print("ok")
