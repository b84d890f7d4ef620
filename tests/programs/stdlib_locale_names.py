"""Which locales there are, and what the locale module says of them."""
import locale
import os

LONG = ";".join(f"{name}={'C.UTF-8' if name == 'LC_TIME' else 'C'}" for name in
                "LC_CTYPE LC_NUMERIC LC_TIME LC_COLLATE LC_MONETARY LC_MESSAGES LC_PAPER LC_NAME LC_ADDRESS LC_TELEPHONE "
                "LC_MEASUREMENT LC_IDENTIFICATION".split())
print(locale.setlocale(locale.LC_ALL), locale.setlocale(locale.LC_CTYPE), locale.getlocale(), locale.getencoding())
for name in ("C", "POSIX", "C.UTF-8", "C.utf8", "C.Utf-8", "C.utf8@euro", "c.utf-8", "C.latin-1", "C.", "en_US.UTF-8", "de_DE", "Klingon", "x" * 500,
             LONG, LONG.replace("C.UTF-8", "de_DE"), "LC_CTYPE=C", ("en_US", "UTF-8"), None):
    for category in (locale.LC_ALL, locale.LC_TIME, locale.LC_CTYPE):
        try:
            print(repr(name)[:40], category == locale.LC_ALL, locale.setlocale(category, name), locale.getlocale(locale.LC_TIME))
        except locale.Error as error:
            print(repr(name)[:40], "error:", error)
for category in (7, 12, 13, -1):
    try:
        print(category, locale.setlocale(category, "C"))
    except locale.Error as error:
        print(category, "error:", error)
for variables in ({}, {"LANG": "C.UTF-8"}, {"LANG": "de_DE.UTF-8"}, {"LC_ALL": "C"}, {"LC_ALL": "C.UTF-8", "LANG": "xx"}, {"LC_TIME": "xx", "LANG": "C"}):
    for name in ("LC_ALL", "LC_TIME", "LC_CTYPE", "LANG"):
        os.environ.pop(name, None)
    os.environ.update(variables)
    try:
        print(variables, locale.setlocale(locale.LC_TIME, ""))
    except locale.Error as error:
        print(variables, "error:", error)
os.environ["LC_ALL"] = "C.UTF-8"
print(locale.setlocale(locale.LC_ALL, ""))
print(locale.localeconv())
locale.setlocale(locale.LC_ALL, "C.UTF-8")
names = sorted(name for name in dir(locale) if name.isupper() and name not in ("ABC",))
print([name for name in names if not name.startswith("_")])
for name in names:
    value = getattr(locale, name)
    if isinstance(value, int) and not name.startswith("LC_") and name != "CHAR_MAX":
        print(name, ascii(locale.nl_langinfo(value)))
for name in ("C", "C.UTF-8"):
    locale.setlocale(locale.LC_CTYPE, name)
    print(name, locale.nl_langinfo(locale.CODESET), locale.getencoding(), locale.getlocale())
words = ["zebra", "Äpfel", "apple", "Zoo", "éclair", "eclair", "10", "9", "ß", "\U0001f600", ""]
print(sorted(words, key=locale.strxfrm) == sorted(words), [locale.strcoll("a", word) for word in words])
print(locale.format_string("%d %.2f", (1234567, 1234.5), grouping=True), locale.str(1.5), locale.atof("1.5"), f"{1234567:n} {1234.5:n}")
try:
    print(locale.currency(1234.5, grouping=True))
except ValueError as error:
    print(error)
print(locale.gettext("hello"), locale.dgettext("app", "hello"), locale.textdomain("app"), locale.textdomain(None),
      locale.bindtextdomain("app", "/work/po"), locale.bindtextdomain("app", None), locale.bindtextdomain("other", None),
      locale.bind_textdomain_codeset("app", "UTF-8"))
