import sqlite3
import json

con = sqlite3.connect(":memory:")


class Product:
    def __init__(self):
        self.value = 1

    def step(self, x):
        self.value *= x

    def finalize(self):
        return self.value


con.create_function("slug", 1, lambda s: s.lower().replace(" ", "-"), deterministic=True)
con.create_aggregate("product", 1, Product)
con.create_collation("bylen", lambda a, b: (len(a) > len(b)) - (len(a) < len(b)))
con.execute("CREATE TABLE t(id INTEGER PRIMARY KEY, name TEXT, n INT, data BLOB)")
con.executemany("INSERT INTO t(name, n, data) VALUES (?, ?, ?)",
                [("Alpha One", 2, b"\x00\x01"), ("Be", 3, None), ("Gamma Ray Burst", 5, b"xyz"), ("Del Ta", 7, bytearray(3))])
print(con.execute("SELECT slug(name), length(data), hex(data) FROM t").fetchall())
print(con.execute("SELECT product(n), group_concat(name, '|') FROM t").fetchone())
print(con.execute("SELECT name FROM t ORDER BY name COLLATE bylen").fetchall())
print(con.execute("SELECT name, sum(n) OVER (ORDER BY id), rank() OVER (ORDER BY n DESC) FROM t ORDER BY id").fetchall())
print(con.execute("""WITH RECURSIVE fib(a, b, i) AS (SELECT 0, 1, 0 UNION ALL SELECT b, a + b, i + 1 FROM fib WHERE i < 15)
                     SELECT group_concat(a) FROM fib""").fetchone()[0])
con.execute("CREATE TABLE docs(j TEXT)")
con.execute("INSERT INTO docs VALUES (?)", (json.dumps({"a": {"b": [1, 2, {"c": "deep"}]}}),))
print(con.execute("SELECT json_extract(j, '$.a.b[2].c'), j -> '$.a.b[0]' FROM docs").fetchone())
print(con.execute("INSERT INTO t(name) VALUES ('new') RETURNING id, name").fetchall())
print(con.execute("INSERT INTO t(id, name) VALUES (1, 'dup') ON CONFLICT(id) DO UPDATE SET name = excluded.name RETURNING name").fetchone())
cur = con.cursor()
cur.execute("SELECT * FROM t")
print([d[0] for d in cur.description], cur.fetchmany(2), cur.fetchone()[0])
other = sqlite3.connect(":memory:")
con.commit()
con.backup(other)
print(other.execute("SELECT count(*) FROM t").fetchone(), len(list(other.iterdump())))
with con.blobopen("t", "data", 3) as blob:
    print(blob.read(2), len(blob), blob[2])
con.create_function("boom", 0, lambda: 1 / 0)
try:
    con.execute("SELECT boom()")
except sqlite3.OperationalError as e:
    print(e)
con.close()
try:
    con.execute("SELECT 1")
except sqlite3.ProgrammingError as e:
    print(e)
