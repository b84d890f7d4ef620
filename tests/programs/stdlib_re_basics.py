import re

LOG = """\
2024-03-01 12:00:01 [INFO] server: started on port 8080
2024-03-01 12:00:05 [WARN] db: slow query (1532 ms)
2024-03-01 12:01:17 [ERROR] api: GET /users/42 failed: timeout
garbage line
2024-03-02 00:00:00 [INFO] server: bye
"""
PATTERN = re.compile(
    r"""^(?P<date>\d{4}-\d\d-\d\d)\s
        (?P<time>[\d:]{8})\s
        \[(?P<level>[A-Z]+)\]\s
        (?P<comp>\w+):\s(?P<msg>.*)$""",
    re.VERBOSE | re.MULTILINE,
)

for m in PATTERN.finditer(LOG):
    print(m.groupdict(), m.span("msg"))

print(re.findall(r"(\d+) ms|port (\d+)", LOG))
print(re.sub(r"\b(\w)(\w*)\b", lambda m: m[1].upper() + m[2], "the quick brown fox"))
print(re.split(r"\s*[,;]\s*", "a , b;c ;d,  e", maxsplit=3))
print(re.fullmatch(r"(?i)hello\s+(?=world)world", "HeLLo  WORLD"))
print(re.subn(r"(?<=\d)(?=(\d{3})+$)", ",", "1234567"))
print(re.match(r"(a+)+$", "aaaaaaaaaaaa"), re.search(r"(?<!x)y", "xyy").start())
print(re.escape("a.b*c[d]"), PATTERN.groupindex["level"], PATTERN.groups)
for bad in ["(", "[a", "a**", "(?P<1>x)", "\\"]:
    try:
        re.compile(bad)
    except re.PatternError as e:
        print(repr(bad), e.msg, e.pos)
