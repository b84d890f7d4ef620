import codecs
import io

text = "Grüße, 世界! 😀 €"
for enc in ("utf-8", "utf-16", "utf-16-be", "utf-32-le", "utf-8-sig", "utf-7", "punycode", "unicode_escape", "raw_unicode_escape"):
    b = text.encode(enc)
    print(f"{enc:20} {len(b):3} {b[:24]!r} {b.decode(enc) == text}")
for enc in ("ascii", "latin-1", "cp1252", "cp437", "koi8-r", "shift_jis", "gb18030", "big5", "euc-kr", "iso8859-15", "mac-roman"):
    for errors in ("replace", "xmlcharrefreplace"):
        print(enc, errors, "Añ€世".encode(enc, errors))
for errors in ("ignore", "replace", "backslashreplace", "surrogateescape"):
    print(errors, ascii(b"ok\xff\xe9\x80end".decode("utf-8", errors)))
for fn in (lambda: "é".encode("ascii"), lambda: b"\xc3(".decode("utf-8"), lambda: "x".encode("nope"), lambda: "\ud800".encode("utf-8"), lambda: b"\xff".decode("utf-16")):
    try:
        fn()
    except (UnicodeError, LookupError) as e:
        print(type(e).__name__, e)

dec = codecs.getincrementaldecoder("utf-8")()
print([dec.decode(bytes([b])) for b in "é世".encode()])
codecs.register_error("star", lambda e: ("*" * (e.end - e.start), e.end))
print("naïve café".encode("ascii", "star"))
print(codecs.encode("Hello", "rot13"), codecs.encode(b"hi", "hex"), codecs.decode(b"aGk=\n", "base64"), codecs.encode(b"aaa" * 9, "zlib")[:2])
with open("c.txt", "w", encoding="utf-16") as fh:
    fh.write("line1\nlïne2\n")
print(open("c.txt", "rb").read()[:2] in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE), open("c.txt", encoding="utf-16").read().split())
print(codecs.lookup("UTF8").name, codecs.lookup("latin1").name, codecs.lookup("u8").name)
r = codecs.getreader("utf-8")(io.BytesIO("añb\nc".encode()))
print(r.readline(), r.read())
print("bücher.example".encode("idna"), b"xn--bcher-kva.example".decode("idna"))
