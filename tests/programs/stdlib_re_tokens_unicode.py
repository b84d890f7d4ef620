import re

text = "Ünïcode naïve café: 東京2020, Straße №5 — ½ cup & 3,14"
print(re.findall(r"\w+", text))
print(re.findall(r"\w+", text, re.ASCII))
print(re.findall(r"[^\W\d_]+", text))
print([m.span() for m in re.finditer(r"\d+", text)])
print(re.findall(r"straSSE|straße", "STRASSE STRAßE straße", re.I))
print(re.sub(r"(?P<first>\w+) (?P<second>\w+)", r"\g<second> \g<first>", "hello world foo bar"))

scanner = re.Scanner([
    (r"\d+\.\d*", lambda s, t: ("FLOAT", float(t))),
    (r"\d+", lambda s, t: ("INT", int(t))),
    (r"[a-z_]\w*", lambda s, t: ("NAME", t)),
    (r"[+\-*/=()]", lambda s, t: ("OP", t)),
    (r"\s+", None),
])
tokens, rest = scanner.scan("area = 3.14 * (r + 10) ?")
for t in tokens:
    print(t)
print("unscanned:", repr(rest))

print(re.findall(rb"[\x80-\xff]+", "añb€c".encode()))
print(re.search(r"(\w)\1", "bookkeeper").group(), re.findall(r"((\w)\2)", "bookkeeper"))
print(re.sub(r"(?(1)x|y)|(a)", "Z", "aby"))
print(re.findall(r"a++b|a*+c", "aaab aac"), re.search(r"(?>a|ab)c", "abc"))
print(re.compile("x", re.I | re.M), re.I | re.S)
