import html
from html.parser import HTMLParser

PAGE = """<!DOCTYPE html>
<html><head><title>My &amp; Page</title></head>
<body class="main"><h1>Header</h1><p>Some <a href="/one?a=1&amp;b=2">first</a> text &copy; &#8364;
<br/><a href='two.html'>second <b>bold</b></a><!-- note --></p>
<ul><li>one<li>two</ul><img src=x.png alt="">
<script>if (a < b) { alert("<p>"); }</script></body></html>"""


class Outline(HTMLParser):
    VOID = {"br", "img"}

    def __init__(self):
        super().__init__()
        self.depth = 0
        self.links = []
        self.text = []

    def handle_starttag(self, tag, attrs):
        print(f"{'  ' * self.depth}<{tag}> {attrs} {self.getpos()}")
        if tag == "a":
            self.links.append(dict(attrs)["href"])
        if tag not in self.VOID:
            self.depth += 1

    def handle_startendtag(self, tag, attrs):
        print(f"{'  ' * self.depth}<{tag}/>")

    def handle_endtag(self, tag):
        self.depth = max(0, self.depth - 1)

    def handle_data(self, data):
        if data.strip():
            self.text.append(data.strip())

    def handle_comment(self, data):
        print("comment", data)

    def handle_decl(self, decl):
        print("decl", decl)


o = Outline()
for i in range(0, len(PAGE), 50):
    o.feed(PAGE[i:i + 50])
o.close()
print(o.links)
print(o.text)
print(html.escape('<a href="x">\'q\' & r</a>'), html.escape('"', quote=False))
print(html.unescape("&lt;&eacute;&#x1F600;&notit;&amp;amp; &nosuch; &#0; &#x80;"))
print(html.entities.name2codepoint["euro"] if hasattr(html, "entities") else None)
