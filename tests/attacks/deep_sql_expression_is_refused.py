#: promise = "SQL nested very deep is refused by the parser"
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import sqlite3

database = sqlite3.connect(":memory:")
n = 50_000
for query in ("SELECT " + "(" * n + "1" + ")" * n, "SELECT 1" + "+1" * n, "SELECT " + "-" * 3 + "NOT " * n + "1", "SELECT " * n):
    try:
        database.execute(query)
    except (sqlite3.Error, RecursionError, MemoryError):
        pass
assert database.execute("SELECT 1").fetchone() == (1,)
print("ok")
