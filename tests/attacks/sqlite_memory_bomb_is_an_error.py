#: promise = "A database in memory that grows for ever ends in a Python exception"
#: wall_clock_ms = 30000
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import sqlite3

for query in ("SELECT zeroblob(2000000000)", "SELECT hex(zeroblob(900000000))", "SELECT printf('%.*c', 900000000, 'x')"):
    try:
        sqlite3.connect(":memory:").execute(query).fetchall()
    except (MemoryError, sqlite3.Error, OverflowError):
        continue
    raise AssertionError(f"{query} was allowed")
database = sqlite3.connect(":memory:")
database.execute("CREATE TABLE t(x)")
try:
    while True:
        database.execute("INSERT INTO t VALUES (zeroblob(1000000))")
except (MemoryError, sqlite3.Error):
    pass
database.close()
print("ok")
