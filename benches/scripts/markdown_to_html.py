import html
import re

SOURCE = """# Release notes

Version **2.4** brings *faster* search and a new [dashboard](https://example.com/dash).

## Fixed

- Crash when the `name` field is empty
- Wrong totals for orders < 1 & > 1000
- Slow start on **old** machines

Thanks to everyone who *tested* the beta!
"""


def inline(text):
    text = html.escape(text, quote=False)
    text = re.sub(r"`(.+?)`", r"<code>\1</code>", text)
    text = re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", text)
    text = re.sub(r"\*(.+?)\*", r"<em>\1</em>", text)
    return re.sub(r"\[(.+?)\]\((.+?)\)", r'<a href="\2">\1</a>', text)


def convert(markdown):
    blocks = re.split(r"\n\s*\n", markdown.strip())
    for block in blocks:
        heading = re.match(r"(#{1,6}) (.*)", block)
        if heading:
            level = len(heading.group(1))
            yield f"<h{level}>{inline(heading.group(2))}</h{level}>"
        elif block.startswith("- "):
            items = [f"  <li>{inline(line[2:])}</li>" for line in block.splitlines()]
            yield "\n".join(["<ul>", *items, "</ul>"])
        else:
            yield f"<p>{inline(' '.join(block.splitlines()))}</p>"


print("\n".join(convert(SOURCE)))
