import tomllib

DOC = '''
title = "TOML Example"
count = 1_000
hex = 0xDEAD
pi = 3.14159
inf = -inf
when = 1979-05-27T07:32:00-08:00
day = 2024-02-29
at = 07:32:00.5

[owner]
name = "Tom \\u00e9"
bio = """
Line one
Line two \\
    continued"""
path = 'C:\\Users\\raw'

[servers.alpha]
ip = "10.0.0.1"
roles = ["web", "db",]

[servers."beta.prod"]
ip = "10.0.0.2"
inline = { a = 1, b.c = [true, false] }

[[products]]
name = "Hammer"
sku = 738594937

[[products]]
name = "Nail"
colors = [["gray"], ["black", "blue"]]
'''
data = tomllib.loads(DOC)
for key, value in data.items():
    print(key, "=", repr(value))
with open("conf.toml", "wb") as fh:
    fh.write(DOC.encode())
with open("conf.toml", "rb") as fh:
    print(tomllib.load(fh) == data)
print(tomllib.loads("x = 1.10", parse_float=str))
for bad in ("a = ", "a = 1\na = 2", "[a]\n[a]", 'x = "unterminated', "= 1", "a = 01", "d = 2023-02-30"):
    try:
        print(tomllib.loads(bad))
    except tomllib.TOMLDecodeError as e:
        print(repr(bad), "->", e, e.lineno, e.colno)
