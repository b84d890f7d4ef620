"""SQLite in memory: inserts, queries, and functions and aggregates written in Python."""

import math
import sqlite3

ROWS = 70000


class RunningMean:
    def __init__(self):
        self.total = 0.0
        self.count = 0

    def step(self, value):
        self.total += value
        self.count += 1

    def finalize(self):
        return self.total / self.count if self.count else None


def make_rows(n):
    for i in range(n):
        yield i, f"name {i * 7919 % 1000:03d}", i * 0.25, i % 13


def bench() -> object:
    db = sqlite3.connect(":memory:")
    try:
        db.create_function("half", 1, lambda x: x / 2)
        db.create_function("cosine", 1, math.cos)
        db.create_aggregate("running_mean", 1, RunningMean)
        db.create_collation("backwards", lambda a, b: (a < b) - (a > b))
        db.execute("create table data (id integer primary key, name text, value real, grp integer)")
        db.execute("create table wave (x real, y real)")
        db.executemany("insert into data values (?, ?, ?, ?)", make_rows(ROWS))
        db.execute("create index data_grp on data (grp)")
        for i in range(ROWS):
            db.execute("insert into wave values (cosine(?), ?)", (i * 0.01, i))
        db.commit()

        low, high = db.execute("select min(x), max(x) from wave").fetchone()
        (mean,) = db.execute("select running_mean(half(value)) from data").fetchone()
        groups = db.execute(
            "select grp, count(*), running_mean(value) from data group by grp order by grp"
        ).fetchall()
        joined = 0
        for name, y in db.execute(
            "select d.name, w.y from data d join wave w on w.rowid = d.id where d.grp in (1, 5, 8)"
        ):
            joined += len(name) + int(y) % 10
        first = [
            row[0]
            for row in db.execute(
                "select distinct name from data where id < 600 order by name collate backwards limit 3"
            )
        ]
        for i in range(0, ROWS, 7):
            db.execute("update data set value = value + 1 where id = ?", (i,))
        db.rollback()
        db.execute("delete from data where grp = 3")
        (left, total) = db.execute("select count(*), sum(value) from data").fetchone()
    finally:
        db.close()
    return (
        round(low, 6),
        round(high, 6),
        round(mean, 6),
        len(groups),
        round(groups[4][2], 6),
        joined,
        first,
        left,
        round(total, 3),
    )


if __name__ == "__main__":
    print(bench())
