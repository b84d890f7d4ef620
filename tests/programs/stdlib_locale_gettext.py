import gettext
import locale
import os
import struct

print(locale.setlocale(locale.LC_ALL, "C"))
conv = locale.localeconv()
print(conv["decimal_point"], repr(conv["thousands_sep"]), conv["grouping"])
print(locale.format_string("%.2f", 1234567.891, grouping=True), locale.atof("3.5"), locale.str(2.5), locale.delocalize("1.5"))
print(locale.strcoll("a", "b") < 0, sorted(["b", "A", "a", "B"], key=locale.strxfrm), locale.normalize("de_DE"))
try:
    locale.currency(10)
except ValueError as e:
    print("ValueError:", e)

catalog = {
    "": "Content-Type: text/plain; charset=UTF-8\nPlural-Forms: nplurals=2; plural=n != 1;\n",
    "Hello": "Bonjour",
    "%d file\0%d files": "%d fichier\0%d fichiers",
    "menu\x04Open": "Ouvrir",
}


def write_mo(path, entries):
    keys = sorted(entries)
    ids = b"".join(k.encode() + b"\0" for k in keys)
    vals = b"".join(entries[k].encode() + b"\0" for k in keys)
    n, kt, vt, ko, vo = len(keys), [], [], 0, 0
    start = 28 + 16 * len(keys)
    for k in keys:
        kl, vl = len(k.encode()), len(entries[k].encode())
        kt += [kl, start + ko]
        vt += [vl, start + len(ids) + vo]
        ko += kl + 1
        vo += vl + 1
    with open(path, "wb") as fh:
        fh.write(struct.pack("<7I", 0x950412DE, 0, n, 28, 28 + 8 * n, 0, 0) + struct.pack(f"<{4 * n}I", *kt, *vt) + ids + vals)


os.makedirs("loc/fr/LC_MESSAGES")
write_mo("loc/fr/LC_MESSAGES/app.mo", catalog)
tr = gettext.translation("app", "loc", languages=["fr"])
print(tr.gettext("Hello"), tr.gettext("Untranslated"), tr.ngettext("%d file", "%d files", 1) % 1, tr.ngettext("%d file", "%d files", 5) % 5)
print(tr.pgettext("menu", "Open"), tr.info()["plural-forms"], tr.charset(), gettext.find("app", "loc", ["fr"]))
try:
    gettext.translation("app", "loc", languages=["zz"])
except FileNotFoundError as e:
    print("FileNotFoundError", e.errno, e.strerror)
print(gettext.translation("app", "loc", ["zz"], fallback=True).gettext("Hello"), gettext.ngettext("one", "many", 2))
