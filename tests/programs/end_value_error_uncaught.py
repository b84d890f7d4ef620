import csv
import io


def parse_age(text):
    age = int(text)
    if age < 0:
        raise ValueError(f"age cannot be negative: {age}")
    return age


ROWS = "name,age\nann,31\nbob,44\ncid,-5\ndee,20\n"
total = 0
for n, row in enumerate(csv.DictReader(io.StringIO(ROWS)), 1):
    print(f"row {n}: {row['name']}")
    total += parse_age(row["age"])
    print("running total", total)
print("never printed")
