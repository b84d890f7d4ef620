import base64
import binascii
import mimetypes
import quopri

mt = mimetypes.MimeTypes()
for name in ("page.html", "archive.tar.gz", "photo.JPEG", "data.json", "movie.mp4", "noext", "style.css", "x.unknownext"):
    print(name, mt.guess_type(name))
mt.add_type("text/x-demo", ".demo")
print(mt.guess_type("a.demo"), mt.guess_extension("text/x-demo"), mt.guess_all_extensions("text/x-demo"))

data = bytes(range(0, 256, 7)) + "naïve".encode()
for enc, dec in [(base64.b64encode, base64.b64decode), (base64.urlsafe_b64encode, base64.urlsafe_b64decode),
                 (base64.b32encode, base64.b32decode), (base64.b32hexencode, base64.b32hexdecode),
                 (base64.b16encode, base64.b16decode), (base64.b85encode, base64.b85decode),
                 (base64.a85encode, base64.a85decode), (base64.z85encode, base64.z85decode)]:
    text = enc(data)
    print(f"{enc.__name__:20} {text.decode()} {dec(text) == data}")
print(base64.encodebytes(b"x" * 100).decode(), end="")
for bad in ("abc", "ab=c", "a"):
    try:
        print(base64.b64decode(bad, validate=True))
    except binascii.Error as e:
        print("Error:", bad, e)

print(binascii.hexlify(b"\xde\xad\xbe\xef", "-", 2), binascii.unhexlify("cafe"), binascii.crc32(b"hello"), binascii.crc_hqx(b"hello", 0))
print(binascii.b2a_uu(b"uuencoded!"), binascii.a2b_uu(binascii.b2a_uu(b"uuencoded!")), binascii.b2a_base64(b"hi", newline=False))
q = quopri.encodestring("café = crème\ttab \nlong ".encode() + b"x" * 80)
print(q, quopri.decodestring(q) == "café = crème\ttab \nlong ".encode() + b"x" * 80)
try:
    binascii.unhexlify("abz")
except binascii.Error as e:
    print(e)
