import textwrap

article = {
    "title": "Why Bridges Hum",
    "body": """
        A suspension bridge is a very large string instrument. Wind that passes the
        deck sheds small whirls of air, first above, then below, and when their rhythm
        meets one of the bridge's own the deck begins to move. Engineers add dampers,
        open gratings and fairings so that no single rhythm can win.

        The most famous failure was not resonance in the simple sense but flutter: the
        motion of the deck itself fed the forces that moved it.
    """,
    "notes": ["Dampers turn movement into heat.", "Gratings let the wind through the deck instead of around it, which weakens the whirls."],
}

WIDTH = 56


def box(title):
    line = "+" + "-" * (WIDTH - 2) + "+"
    return "\n".join([line, f"|{title.center(WIDTH - 2)}|", line])


paragraphs = textwrap.dedent(article["body"]).strip().split("\n\n")
print(box(article["title"]))
for paragraph in paragraphs:
    print()
    print(textwrap.fill(" ".join(paragraph.split()), WIDTH, initial_indent="    "))
print("\nNotes:")
for note in article["notes"]:
    print(textwrap.fill(note, WIDTH, initial_indent="  * ", subsequent_indent="    "))
print("\nTeaser:", textwrap.shorten(paragraphs[0], 60, placeholder="..."))
