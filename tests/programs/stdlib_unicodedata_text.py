import unicodedata as ud

for ch in "aÅé½Ⅷ٣世😀\u200b\n₿ß":
    print(f"U+{ord(ch):05X} {ud.category(ch)} {ud.name(ch, '<none>'):45} {ud.bidirectional(ch):3} {ud.combining(ch)} {ud.east_asian_width(ch)} {ud.mirrored(ch)}")
print(ud.numeric("½"), ud.numeric("Ⅷ"), ud.digit("٣"), ud.decimal("٣"), ud.digit("x", -1), int("٣٤"))
print(ud.lookup("SNOWMAN"), "\N{GREEK SMALL LETTER ALPHA}", ud.decomposition("é"), ud.decomposition("ﬁ"))
s = "ﬁancé Ⅷ Å ①"
for form in ("NFC", "NFD", "NFKC", "NFKD"):
    n = ud.normalize(form, s)
    print(form, len(n), ascii(n), ud.is_normalized(form, s))


def strip_accents(text):
    return "".join(c for c in ud.normalize("NFD", text) if not ud.combining(c))


def slugify(text):
    text = strip_accents(text).casefold()
    return "-".join("".join(c if c.isalnum() else " " for c in text).split())


print(strip_accents("Żółć Ångström naïve façade"), slugify("  Crème Brûlée & Straße №1!  "))
print("e\u0301" == "é", ud.normalize("NFC", "e\u0301") == "é", len("👩‍👩‍👧"), "ΑΣ".lower(), "ǆ".title(), "ŉ".upper())
words = ["zebra", "Äpfel", "apfel", "éclair", "Eclair", "ångström"]
print(sorted(words), sorted(words, key=lambda w: (strip_accents(w).casefold(), w)))
print([c.isdigit() for c in "5²½٣"], [c.isdecimal() for c in "5²½٣"], [c.isnumeric() for c in "5²½٣"], "ª".isalpha(), "ı".isidentifier())
print("ẞ".casefold(), "İ".lower().encode("unicode_escape"), "\u00a0\u3000x".split(), "a\x1cb\u2028c".splitlines(), ud.unidata_version[:2].isdigit())
try:
    ud.lookup("NOT A CHARACTER")
except KeyError as e:
    print(e)
