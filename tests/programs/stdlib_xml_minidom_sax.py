import io
import xml.sax
import xml.sax.handler
from xml.dom import minidom, Node
from xml.sax.saxutils import escape, quoteattr, unescape, XMLGenerator
from xml.parsers import expat

doc = minidom.parseString("<menu><item price='2'>Tea</item><item price='3'>Coffee<!-- hot --></item><?app run?></menu>")
for item in doc.getElementsByTagName("item"):
    print(item.getAttribute("price"), item.firstChild.data, [n.nodeType == Node.COMMENT_NODE for n in item.childNodes])
extra = doc.createElement("item")
extra.setAttribute("price", "4<5")
extra.appendChild(doc.createTextNode("Milk & honey"))
doc.documentElement.insertBefore(extra, doc.documentElement.firstChild)
print(doc.toprettyxml(indent="  "))
print(doc.documentElement.toxml(), doc.documentElement.lastChild.target)


class Handler(xml.sax.handler.ContentHandler):
    def __init__(self):
        super().__init__()
        self.depth = 0

    def startElement(self, name, attrs):
        print("  " * self.depth + "start", name, dict(attrs.items()))
        self.depth += 1

    def endElement(self, name):
        self.depth -= 1
        print("  " * self.depth + "end", name)

    def characters(self, content):
        if content.strip():
            print("  " * self.depth + repr(content))


xml.sax.parseString(b"<a x='1'><b>text</b><c y='&lt;'/></a>", Handler())
try:
    xml.sax.parseString(b"<a><b></a>", Handler())
except xml.sax.SAXParseException as e:
    print("error:", e.getMessage(), e.getLineNumber(), e.getColumnNumber())

out = io.StringIO()
gen = XMLGenerator(out, short_empty_elements=True)
gen.startDocument()
gen.startElement("r", {"k": 'v"'})
gen.characters("x < y")
gen.startElement("e", {})
gen.endElement("e")
gen.endElement("r")
print(out.getvalue())
print(escape("<&>"), quoteattr("it's \"q\""), unescape("&lt;&amp;&#x41;", {"&#x41;": "A"}))
p = expat.ParserCreate()
p.StartElementHandler = lambda n, a: print("expat", n, a, p.CurrentLineNumber)
p.Parse("<q>\n<w e='r'/></q>", True)
