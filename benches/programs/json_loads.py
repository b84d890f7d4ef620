"""Parsing JSON text of several shapes into Python objects."""

import json

RECORDS = 400
ROUNDS = 50


def make_records(n):
    records = []
    for i in range(n):
        records.append(
            {
                "id": i,
                "guid": f"{i * 2654435761 & 0xFFFFFFFF:08x}-{i:04x}",
                "active": i % 3 == 0,
                "balance": i * 12.25 - 300.5,
                "picture": None,
                "age": 20 + i % 50,
                "name": {"first": f"First{i % 17}", "last": f"Last{i % 29}"},
                "about": "Lorem ipsum dolor \"sit\" amet,\n\u00fcber caf\u00e9 \u2014 " * 2,
                "tags": [f"tag{k}" for k in range(i % 7)],
                "friends": [{"id": k, "name": f"Friend {k}"} for k in range(3)],
            }
        )
    return records


def bench() -> object:
    records = make_records(RECORDS)
    compact = json.dumps(records)
    raw = json.dumps(records, ensure_ascii=False)
    pretty = json.dumps(records, indent=1)
    numbers = json.dumps([[i, i * 0.5, -i * 1e-7] for i in range(2000)])
    small = json.dumps(records[5])
    checks = 0
    for _ in range(ROUNDS):
        for text in (compact, raw, pretty):
            data = json.loads(text)
            checks += len(data) + data[-1]["age"] + len(data[6]["tags"])
        checks += len(json.loads(numbers)[-1])
        for _ in range(200):
            checks += json.loads(small)["id"]
    return checks, len(compact), len(raw), len(pretty)


if __name__ == "__main__":
    print(bench())
