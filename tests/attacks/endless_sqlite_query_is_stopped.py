#: promise = "A recursive SQL query that never ends is stopped at the deadline"
#: wall_clock_ms = 600
#: outcome = ["time_limit"]
import sqlite3

database = sqlite3.connect(":memory:")
database.execute("WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n").fetchall()
