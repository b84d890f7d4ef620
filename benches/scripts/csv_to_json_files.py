import csv
import json
from pathlib import Path

ROWS = [
    ["id", "name", "species", "weight_kg", "vaccinated"],
    ["1", "Biscuit", "dog", "12.4", "yes"],
    ["2", "Mittens", "cat", "4.1", "no"],
    ["3", "Kiwi", "parrot", "0.4", "yes"],
    ["4", 'Sir "Barks" Alot', "dog", "31.0", "yes"],
    ["5", "Shadow, Jr.", "cat", "", "no"],
]


def convert(value, field):
    if value == "":
        return None
    if field == "id":
        return int(value)
    if field == "weight_kg":
        return float(value)
    if field == "vaccinated":
        return value == "yes"
    return value


source, target = Path("pets.csv"), Path("pets.json")
with source.open("w", newline="", encoding="utf-8") as file:
    csv.writer(file).writerows(ROWS)

with source.open(newline="", encoding="utf-8") as file:
    pets = [{field: convert(value, field) for field, value in row.items()} for row in csv.DictReader(file)]

target.write_text(json.dumps(pets, indent=2), encoding="utf-8")
loaded = json.loads(target.read_text(encoding="utf-8"))
print(f"{source} ({source.stat().st_size} bytes) -> {target} ({target.stat().st_size} bytes)")
for pet in loaded:
    weight = f"{pet['weight_kg']:.1f} kg" if pet["weight_kg"] is not None else "unknown"
    print(f"#{pet['id']} {pet['name']:<18}{pet['species']:<8}{weight:>8} {'ok' if pet['vaccinated'] else 'DUE'}")
