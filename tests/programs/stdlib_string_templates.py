import string
from string import Template, Formatter, capwords

print(string.ascii_letters, string.digits, string.hexdigits, repr(string.whitespace), string.punctuation)
t = Template("Dear $name, you owe $$${amount} since ${since}.")
print(t.substitute(name="Ann", amount="12.50", since="May"))
print(t.safe_substitute(name="Bob"))
print(t.is_valid(), t.get_identifiers())
for text in ("$missing", "bad $ sign", "$1abc"):
    try:
        print(Template(text).substitute())
    except (KeyError, ValueError) as e:
        print(type(e).__name__, e)


class Percent(Template):
    delimiter = "%"
    idpattern = r"[a-z]+\.[a-z]+"


print(Percent("%user.name has %% and %{user.age}").substitute({"user.name": "Zed", "user.age": 9}))

for parts in Formatter().parse("a{0!r:>{width}}b{{c}}{d.e[0]}"):
    print(parts)


class Default(Formatter):
    def get_value(self, key, args, kwargs):
        if isinstance(key, str):
            return kwargs.get(key, f"<{key}?>")
        return super().get_value(key, args, kwargs)


print(Default().format("{0} {name} {missing:>12}", "x", name="y"))
print(capwords("hello   wORLD of-python"), "hello wORLD".title(), "ǆ".title())
table = str.maketrans("abc", "xyz", "-")
print("a-b-c-d".translate(table), "straße".upper(), "İ".lower().encode())
print("{:*^20}|{:<6}|{:>+8.2f}|{:#x}|{:,}|{:_b}|{:e}|{:%}".format("mid", "l", 3.14159, 255, 1234567, 500, 12345.678, 0.256))
print("{0[1]} {1.real} {k!r}".format(["a", "b"], 5, k="q"), "%-5s|%05d|%+.1e|%r|%%" % ("a", 42, 12345.6, "z"))
