class ConfigError(Exception):
    """Raised for bad configuration."""


def load(values):
    out = {}
    for line, (key, raw) in enumerate(values, 1):
        try:
            out[key] = int(raw)
        except ValueError as exc:
            exc.add_note(f"while reading key {key!r}")
            exc.add_note(f"on line {line}")
            raise
    return out


print(load([("a", "1"), ("b", "2")]))
try:
    load([("x", "y")])
except ValueError as e:
    print("first time:", e, e.__notes__)
print("second time is fatal")
load([("a", "1"), ("port", "eighty")])
