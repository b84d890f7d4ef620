import csv
import io
from collections import defaultdict

DATA = """date,region,product,units,price
2025-01-03,North,Lamp,12,19.99
2025-01-04,South,Desk,3,149.00
2025-01-09,North,Chair,8,59.50
2025-02-01,West,Lamp,20,18.99
2025-02-11,South,Chair,15,57.00
2025-02-14,North,Desk,5,145.00
2025-03-02,West,Desk,2,150.00
2025-03-08,South,Lamp,31,17.49
2025-03-21,West,Chair,,57.00
2025-03-30,North,Lamp,9,19.99
"""


def load(text):
    for row in csv.DictReader(io.StringIO(text)):
        if not row["units"]:
            print(f"skipping {row['date']}: no units")
            continue
        row["revenue"] = int(row["units"]) * float(row["price"])
        yield row


rows = list(load(DATA))
by_region = defaultdict(float)
by_month = defaultdict(lambda: defaultdict(float))
for row in rows:
    by_region[row["region"]] += row["revenue"]
    by_month[row["date"][:7]][row["product"]] += row["revenue"]

print(f"\n{'Region':<10}{'Revenue':>12}{'Share':>8}")
total = sum(by_region.values())
for region, revenue in sorted(by_region.items(), key=lambda pair: pair[1], reverse=True):
    print(f"{region:<10}{revenue:>12,.2f}{revenue / total:>8.1%}")

print("\nBest product per month:")
for month, products in sorted(by_month.items()):
    best = max(products, key=products.get)
    print(f"  {month}: {best} ({products[best]:,.2f})")
