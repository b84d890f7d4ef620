import json

RESPONSE = """
{"user": {"id": 17, "name": "Kim", "emails": ["kim@example.com", "k@example.org"],
  "address": {"street": "12 Hill Rd", "city": "Leeds", "geo": {"lat": 53.8, "lon": -1.55}}},
 "orders": [{"sku": "A-1", "qty": 2, "tags": []}, {"sku": "B-7", "qty": 1, "tags": ["gift", "fragile"]}],
 "active": true, "referrer": null}
"""


def flatten(value, prefix=""):
    if isinstance(value, dict) and value:
        for key, item in value.items():
            yield from flatten(item, f"{prefix}.{key}" if prefix else key)
    elif isinstance(value, list) and value:
        for index, item in enumerate(value):
            yield from flatten(item, f"{prefix}[{index}]")
    else:
        yield prefix, value


def lookup(value, path):
    for part in path.replace("]", "").replace("[", ".").split("."):
        value = value[int(part)] if isinstance(value, list) else value[part]
    return value


data = json.loads(RESPONSE)
flat = dict(flatten(data))
for path, value in flat.items():
    print(f"{path:<26} = {json.dumps(value)}")

assert all(lookup(data, path) == value for path, value in flat.items())
print(len(flat), "leaves")
print(json.dumps(data["orders"], indent=2, sort_keys=True))
