import textwrap

PROSE = """\
Text wrapping   is harder than it looks: extraordinarilylongwordsthatneverend must be
broken, hyphen-ated words may be split, and tabs\tare expanded. "Quotes" stay -- as do em-dashes.
"""

for width in (20, 40, 72):
    print(f"--- {width}")
    print(textwrap.fill(PROSE, width=width))

print(textwrap.fill(PROSE, 30, initial_indent="* ", subsequent_indent="  ", break_long_words=False, break_on_hyphens=False))
print(textwrap.shorten(PROSE, 50), textwrap.shorten("Hello  world!", width=8, placeholder="..."))

code = """
    def f():
        return 1

      # odd
    \tx = 2
"""
print(repr(textwrap.dedent(code)))
print(textwrap.indent("one\n\ntwo\n", "> "), end="")
print(textwrap.indent("one\n\ntwo\n", "> ", lambda line: True), end="")
w = textwrap.TextWrapper(width=24, max_lines=2, placeholder=" [more]", fix_sentence_endings=True)
print(w.wrap("First sentence. Second one! Third? Yes indeed there is plenty more to say."))


def box(text, width=30):
    lines = textwrap.wrap(text, width - 4)
    print("+" + "-" * (width - 2) + "+")
    for line in lines:
        print(f"| {line:<{width - 4}} |")
    print("+" + "-" * (width - 2) + "+")


box("The quick brown fox jumps over the lazy dog and keeps running.")
try:
    textwrap.wrap("x", 0)
except ValueError as e:
    print(e)
