s = "  Hello, Wörld! Hello again.  "
print(repr(s.strip()), repr(s.rstrip(". ")), s.split(), s.split("l", 2), s.rsplit(None, 1), s.partition("Hello"), s.rpartition("Hello"))
print(s.find("Hello"), s.rfind("Hello"), s.count("l"), s.replace("Hello", "Bye", 1), s.casefold(), s.swapcase(), s.strip().title(), "ab".ljust(5, ".") + "|", "ab".rjust(5) + "|", "ab".center(7, "*"))
print("a-b_c d".replace("-", " ").split(), "x".join("abc"), "tab\tsep".expandtabs(8), "42".zfill(6), "-42".zfill(6), "CamelCaseString".lower(), "ß".upper(), "ﬁ".upper())
print([m for m in ("abc", "ABC", "a1", "123", "١٢", "½", " ", "", "Title Case", "a b", "_id", "1x", "class", "é") if m.isidentifier()],
      [(m.isalpha(), m.isdigit(), m.isalnum(), m.isspace(), m.istitle(), m.isupper(), m.isprintable()) for m in ("abc", "١", "½", " ", "Title", "A1", "\x07")])
print("one\ntwo\r\nthree\x0bfour\x85five".splitlines(), "keep\nends\n".splitlines(True), "file.tar.gz".removesuffix(".gz"), "unhappy".removeprefix("un"))
print("abc" < "abd" < "b", "Z" < "a", "abc"[::-1], "abcdef"[1:5:2], "abc"[5:], "ab" * 3, "b" in "abc", "" in "abc", "abc".index("c"), ord("€"), chr(8364), ascii("é€😀"), repr("it's \"q\"\n\\"))
print("{1} {0} {1!r:>6} {x[k]} {y.real:.1f}".format("a", "b", x={"k": "v"}, y=2), "%(n)s has %(c)03d%%" % {"n": "x", "c": 7}, "{:{}}".format("w", ">4"))
print("😀é\u0301"[0], len("😀é\u0301"), list("e\u0301"), "😀".encode("utf-16-be").hex(), "\N{BULLET}", "\x41\u0042\U00000043\103", r"raw\n", "con" "cat", """tri
ple""")
print(max("hello"), sorted("hello"), "".join(dict.fromkeys("mississippi")), "hello".translate({ord("l"): "1", ord("e"): None, 104: "H"}), "a,b;c".translate(str.maketrans(",;", "  ")).split())
print("ab,cd".split(",", maxsplit=0), "".split(), "".split(","), " a  b ".split(" "), ",".join([]), "spam".startswith(("sp", "x"), 0), "spam".endswith("am", 1, 3), "%s" % (("t",),), "%s %s" % ("a", 1))
for src in ("'abc'[10]", "'abc'.index('z')", "'a' * 'b'", "'{} {}'.format(1)", "'{x}'.format()", "'{'.format()", "'%s %s' % 'a'", "'%z' % 1", "'%d' % '5'", "''.join([1])", "'a'.split('')", "'a'[1.0]", "'{0} {}'.format(1)", "'é'.encode('ascii')", "ord('ab')", "'abc'.center(5, 'xx')"):
    try:
        exec(src)
        print(src, "ok")
    except Exception as e:
        print(f"{src:24} {type(e).__name__}: {e}")


def caesar(text, k):
    return "".join(chr((ord(c) - b + k) % 26 + b) if c.isascii() and c.isalpha() and (b := 65 if c.isupper() else 97) else c for c in text)


print(caesar("Hello, World!", 3), caesar(caesar("Hello, World!", 3), -3))
print([w for w in "A man a plan level noon python".lower().split() if w == w[::-1]])
