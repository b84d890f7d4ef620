from pathlib import Path
import csv
from collections import defaultdict

DATA = """date,region,product,units,price
2024-01-05,North,Widget,10,2.50
2024-01-06,South,Widget,4,2.50
2024-01-06,North,Gadget,1,19.99
2024-02-01,East,Widget,,2.50
2024-02-03,South,Gizmo,7,5.25
2024-02-10,North,Gizmo,bad,5.25
"""
src = Path("sales.csv")
src.write_text(DATA)


def load(path):
    with path.open(newline="") as fh:
        for n, row in enumerate(csv.DictReader(fh), 2):
            try:
                row["total"] = int(row["units"]) * float(row["price"])
                yield row
            except ValueError as e:
                print(f"line {n} skipped: {e}")


totals = defaultdict(float)
matrix = defaultdict(lambda: defaultdict(float))
for row in load(src):
    month = row["date"][:7]
    totals[row["region"]] += row["total"]
    matrix[month][row["product"]] += row["total"]

print("By region")
for region, amount in sorted(totals.items(), key=lambda kv: -kv[1]):
    print(f"  {region:<8}{amount:>10.2f} {'#' * round(amount / 5)}")
products = sorted({p for m in matrix.values() for p in m})
print("month    " + "".join(f"{p:>10}" for p in products))
for month in sorted(matrix):
    print(month, " ", "".join(f"{matrix[month].get(p, 0):>10.2f}" for p in products))
out = Path("report") / "totals.tsv"
out.parent.mkdir()
with out.open("w", newline="") as fh:
    w = csv.writer(fh, delimiter="\t")
    w.writerow(["region", "total"])
    w.writerows(sorted(totals.items()))
print(out.read_bytes())
