"""Pickling and unpickling with the pickler and unpickler written in Python."""

import io
import pickle
from datetime import datetime

ROUNDS = 240
PROTOCOL = pickle.HIGHEST_PROTOCOL


class Account:
    def __init__(self, ident, owner, history):
        self.ident = ident
        self.owner = owner
        self.history = history

    def __eq__(self, other):
        return vars(self) == vars(other)


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x, y):
        self.x = x
        self.y = y

    def __eq__(self, other):
        return (self.x, self.y) == (other.x, other.y)


def make_profile():
    return {
        "ads_flags": 0,
        "age": 18,
        "birthday": datetime(1980, 5, 7, 12, 30),
        "bulletin_count": 0,
        "comment_count": 0,
        "country": "BR",
        "encrypted_id": "G9urXXAJwjE",
        "favorite_count": 9,
        "first_name": "",
        "flags": 412317970704,
        "big": 1 << 200,
        "gender": "m",
        "ratio": 0.71875,
        "image": b"\x00\x01\x02" * 30,
        "last_name": "caf\u00e9",
        "locale_preference": "pt_BR",
        "hidden": None,
        "active": True,
        "nested": {"a": [1, 2, 3], "b": (4, 5), "c": ("x",), "d": ()},
    }


def make_data():
    shared = ["shared", 1, 2.5]
    accounts = [
        Account(i, f"owner {i % 4}", [(k, k * 1.5, shared) for k in range(6)])
        for i in range(12)
    ]
    return {
        "profile": make_profile(),
        "numbers": list(range(-20, 300, 3)),
        "wide": [i * 100003 for i in range(60)],
        "accounts": accounts,
        "points": [Slotted(i, -i) for i in range(12)],
        "tables": [{k: str(k) for k in range(10)} for _ in range(6)],
        "frozen": frozenset([5]),
        "set": {7},
    }


def dumps(value, protocol):
    out = io.BytesIO()
    pickle._Pickler(out, protocol).dump(value)
    return out.getvalue()


def loads(data):
    return pickle._Unpickler(io.BytesIO(data)).load()


def bench() -> object:
    data = make_data()
    numbers = 0
    back = None
    shared = None
    for _ in range(ROUNDS):
        text = dumps(data, PROTOCOL)
        back = loads(text)
        numbers += len(back["accounts"]) + back["numbers"][-1]
        shared = back["accounts"][3].history[0][2] is back["accounts"][7].history[5][2]
    old = loads(dumps(data, 2))
    return numbers, shared, back == data, old == data


if __name__ == "__main__":
    print(bench())
