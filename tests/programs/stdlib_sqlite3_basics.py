import sqlite3
from contextlib import closing

with closing(sqlite3.connect("shop.db")) as con:
    con.row_factory = sqlite3.Row
    con.executescript("""
        PRAGMA foreign_keys = ON;
        CREATE TABLE author(id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE);
        CREATE TABLE book(id INTEGER PRIMARY KEY, title TEXT, author_id REFERENCES author(id), price REAL CHECK(price >= 0));
    """)
    with con:
        con.executemany("INSERT INTO author(name) VALUES (?)", [("Le Guin",), ("Borges",), ("Čapek",)])
        con.executemany("INSERT INTO book(title, author_id, price) VALUES (:t, :a, :p)", [
            {"t": "The Dispossessed", "a": 1, "p": 12.5},
            {"t": "Ficciones", "a": 2, "p": 9.0},
            {"t": "R.U.R.", "a": 3, "p": None},
            {"t": "Lathe of Heaven", "a": 1, "p": 8.75},
        ])
    query = """SELECT a.name, count(*) AS n, round(avg(b.price), 2) AS avg_price
               FROM author a JOIN book b ON b.author_id = a.id GROUP BY a.id ORDER BY n DESC, a.name"""
    for row in con.execute(query):
        print(row.keys(), tuple(row), row["avg_price"])
    try:
        with con:
            con.execute("INSERT INTO author(name) VALUES ('Temp')")
            con.execute("INSERT INTO author(name) VALUES ('Borges')")
    except sqlite3.IntegrityError as e:
        print("IntegrityError:", e)
    print([r[0] for r in con.execute("SELECT name FROM author ORDER BY id")])
    for sql, args in [("INSERT INTO book(author_id) VALUES (?)", (99,)), ("UPDATE book SET price = -1", ()),
                      ("SELECT nope FROM book", ()), ("SELEC 1", ()), ("SELECT ?", ())]:
        try:
            con.execute(sql, args)
        except sqlite3.Error as e:
            print(type(e).__name__, e)
    con.rollback()
with closing(sqlite3.connect("shop.db")) as con:
    print(con.execute("SELECT title, price FROM book WHERE title LIKE '%the%' ORDER BY 1").fetchall())
    print(con.execute("SELECT count(*), sum(price), typeof(max(price)) FROM book").fetchone(), con.total_changes)
    cur = con.execute("DELETE FROM book WHERE price < 9")
    print(cur.rowcount, con.in_transaction)
