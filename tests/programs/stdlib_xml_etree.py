import xml.etree.ElementTree as ET

XML = """<?xml version="1.0"?>
<library xmlns:dc="http://purl.org/dc/elements/1.1/">
  <book id="b1" lang="en"><title>Dune</title><dc:creator>Herbert</dc:creator><price>9.99</price></book>
  <book id="b2" lang="fr"><title>L'Étranger</title><dc:creator>Camus</dc:creator><price>7.50</price></book>
  <!-- comment --><empty/>
  <book id="b3"><title>A &amp; B &lt;C&gt;</title>tail text<price>3</price></book>
</library>
"""
root = ET.fromstring(XML)
ns = {"dc": "http://purl.org/dc/elements/1.1/"}
for book in root.iter("book"):
    print(book.get("id"), book.get("lang", "?"), book.findtext("title"), book.findtext("dc:creator", "-", ns))
print([b.attrib["id"] for b in root.findall("./book[@lang]")], root.find("book[title='Dune']").get("id"))
print(sum(float(p.text) for p in root.iterfind(".//price")), [c.tag for c in root])

new = ET.SubElement(root, "book", id="b4")
ET.SubElement(new, "title").text = 'Quotes " & <tags>'
new.set("note", 'a"b<c\n')
root.remove(root.find("empty"))
ET.indent(root, space="    ")
ET.register_namespace("dc", ns["dc"])
print(ET.tostring(root, encoding="unicode"))
ET.ElementTree(root).write("lib.xml", encoding="utf-8", xml_declaration=True)
print(open("lib.xml", "rb").read()[:60], len(open("lib.xml", "rb").read()))
for event, elem in ET.iterparse("lib.xml", events=("start", "end", "start-ns")):
    if event == "start-ns" or elem.tag == "title":
        print(event, elem if event == "start-ns" else elem.text)
print(ET.canonicalize('<b z="1" a="2"><c/></b>'))
for bad in ("<a><b></a>", "<a", "<a>&nope;</a>", ""):
    try:
        ET.fromstring(bad)
    except ET.ParseError as e:
        print(e, e.code, e.position)
pp = ET.XMLPullParser(["end"])
for chunk in ("<r><x>1</", "x><x>2</x>", "</r>"):
    pp.feed(chunk)
    print([(ev, el.tag, el.text) for ev, el in pp.read_events()])
