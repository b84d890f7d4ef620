import sqlite3

connection = sqlite3.connect(":memory:")
connection.row_factory = sqlite3.Row
connection.executescript("""
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT);
CREATE TABLE orders (
    id INTEGER PRIMARY KEY, customer_id INTEGER REFERENCES customers(id),
    product TEXT, amount REAL CHECK (amount > 0), ordered TEXT
);
CREATE INDEX orders_by_customer ON orders(customer_id);
""")

with connection:
    connection.executemany(
        "INSERT INTO customers (name, city) VALUES (?, ?)",
        [("Ines", "Porto"), ("Jan", "Gent"), ("Kaya", "Izmir"), ("Luc", None)],
    )
    connection.executemany(
        "INSERT INTO orders (customer_id, product, amount, ordered) VALUES (?, ?, ?, ?)",
        [(1, "kettle", 39.9, "2025-01-10"), (1, "mug", 8.5, "2025-02-02"), (2, "lamp", 54.0, "2025-02-11"),
         (3, "mug", 17.0, "2025-02-20"), (3, "teapot", 45.25, "2025-03-01"), (3, "lamp", 54.0, "2025-03-04")],
    )

query = """
SELECT name, coalesce(city, 'unknown') AS city, count(orders.id) AS n, coalesce(sum(amount), 0) AS total
FROM customers LEFT JOIN orders ON orders.customer_id = customers.id
GROUP BY customers.id ORDER BY total DESC
"""
for row in connection.execute(query):
    print(f"{row['name']:<6}{row['city']:<9}{row['n']:>2} orders {row['total']:>8.2f}")

for month, total in connection.execute("SELECT substr(ordered, 1, 7), sum(amount) FROM orders GROUP BY 1 ORDER BY 1"):
    print(month, round(total, 2))

try:
    with connection:
        connection.execute("UPDATE orders SET amount = amount * 2 WHERE product = 'mug'")
        connection.execute("INSERT INTO orders (customer_id, product, amount) VALUES (2, 'gift', -1)")
except sqlite3.IntegrityError as error:
    print("rolled back:", error)
print("mugs:", connection.execute("SELECT sum(amount) FROM orders WHERE product = 'mug'").fetchone()[0])
