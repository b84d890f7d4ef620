"""Serialising dicts, lists, strings and numbers to JSON text."""

import json

EMPTY = {}
SIMPLE = {"key1": 0, "key2": True, "key3": "value", "key4": "foo", "key5": "string"}
NESTED = {
    "key1": 0,
    "key2": SIMPLE,
    "key3": "value",
    "key4": SIMPLE,
    "key5": [SIMPLE, [1, 2.5, None], False],
    "\u0105\u0107\u017c": "\u0441\u0442\u0440\u043e\u043a\u0430 \u2603",
}


def make_wide():
    return [
        {
            "id": i,
            "name": f"row {i}",
            "score": i * 0.37,
            "tags": ["alpha", "beta", "quote\"d", "line\nbreak"][: i % 5],
            "child": dict(NESTED) if i % 7 == 0 else None,
        }
        for i in range(1000)
    ]


def bench() -> object:
    cases = [
        (EMPTY, 20000),
        (SIMPLE, 20000),
        (NESTED, 16000),
        (make_wide(), 110),
    ]
    sizes = []
    for value, count in cases:
        length = 0
        for _ in range(count):
            length += len(json.dumps(value))
        sizes.append(length)
    plain = json.dumps(NESTED, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    sizes.append(len(plain))
    pretty = json.dumps(cases[3][0][:300], indent=2)
    sizes.append(len(pretty))
    return tuple(sizes)


if __name__ == "__main__":
    print(bench())
