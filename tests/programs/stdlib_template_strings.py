from string.templatelib import Interpolation, Template, convert
import html

name, price = "Bob & <Co>", 9.5
t = t"Hello {name}, pay {price:.2f} or {price!r:>8} {name + '!' = }"
print(type(t).__name__, t.strings, t.values)
for part in t:
    if isinstance(part, Interpolation):
        print(repr(part.value), part.expression, part.conversion, repr(part.format_spec))
    else:
        print("str", repr(part))


def f(template):
    out = []
    for part in template:
        match part:
            case str():
                out.append(part)
            case Interpolation(value, _, conversion, spec):
                out.append(format(convert(value, conversion), spec))
    return "".join(out)


def safe_html(template):
    return "".join(p if isinstance(p, str) else html.escape(str(p.value)) for p in template)


def sql(template):
    query = "?".join(template.strings)
    return query, list(template.values)


print(f(t) == f"Hello {name}, pay {price:.2f} or {price!r:>8} {name + '!' = }", f(t))
print(safe_html(t"<p>{name}</p>"))
user = "x'; DROP TABLE users; --"
print(sql(t"SELECT * FROM users WHERE name = {user} AND age > {21 * 2}"))
print(t"", t"".strings, len(t"{1}{2}".strings), t"a" + t"b{3}")
print(repr(t"x={price}"), rt"raw\n{name}".strings)
try:
    t"a" + "b"
except TypeError as e:
    print("TypeError:", e)
nested = t"outer {t'inner {price}'}"
print(type(nested.values[0]).__name__, nested.interpolations[0].expression)
print(Template("built ", Interpolation(5, "five", None, "03d"), " done").values, f(Template("n=", Interpolation(5, "five", None, "03d"))))
width = 6
print(f(t"[{price:{width}.1f}]"), t"{price:{width}}".interpolations[0].format_spec)
