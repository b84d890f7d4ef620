import json
from datetime import date
from decimal import Decimal


class Encoder(json.JSONEncoder):
    def default(self, o):
        if isinstance(o, date):
            return {"__date__": o.isoformat()}
        if isinstance(o, Decimal):
            return {"__decimal__": str(o)}
        if isinstance(o, (set, frozenset)):
            return sorted(o)
        return super().default(o)


def hook(d):
    if "__date__" in d:
        return date.fromisoformat(d["__date__"])
    if "__decimal__" in d:
        return Decimal(d["__decimal__"])
    return d


order = {
    "id": 1042,
    "customer": {"name": "Zoë Müller", "vip": True, "email": None},
    "placed": date(2024, 2, 29),
    "total": Decimal("199.90"),
    "tags": {"gift", "express"},
    "lines": [{"sku": "A-1", "qty": 2, "price": 9.99}, {"sku": "B-7", "qty": 1, "price": 1e-7}],
}

text = json.dumps(order, cls=Encoder, indent=2, sort_keys=True)
print(text)
back = json.loads(text, object_hook=hook)
print(back["placed"], type(back["placed"]).__name__, back["total"] * 2)
print(json.dumps(order, cls=Encoder, ensure_ascii=False, separators=(",", ":")))
print(json.loads("[1e400, -Infinity, NaN, 12345678901234567890]"))
print(json.dumps({1: "a", None: "b", True: "c", 2.5: "d"}))
try:
    json.dumps(object)
except TypeError as e:
    print("TypeError:", e)
