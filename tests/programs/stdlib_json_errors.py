import json

BAD = [
    "",
    "{",
    '{"a": 1,}',
    "[1, 2",
    '{"a" 1}',
    "nul",
    '"unterminated',
    "[1] trailing",
    "{'single': 1}",
    '"bad \\x escape"',
    '"ctrl \n char"',
]

for text in BAD:
    try:
        print("ok", json.loads(text))
    except json.JSONDecodeError as exc:
        print(f"{text!r:22} -> {exc.msg} (line {exc.lineno}, col {exc.colno}, pos {exc.pos})")

decoder = json.JSONDecoder()
stream = '{"n": 1} [2, 3]  "four" 5 null'
pos = 0
while pos < len(stream):
    while pos < len(stream) and stream[pos].isspace():
        pos += 1
    value, pos = decoder.raw_decode(stream, pos)
    print("decoded", value, "at", pos)

print(json.loads('"\\ud83d\\ude00 \\u00e9"'))
print(json.dumps("😀 é \u2028"), json.dumps("tab\t\x01"))
circular = []
circular.append(circular)
try:
    json.dumps(circular)
except ValueError as e:
    print(e)
    print(getattr(e, "__notes__", None))
