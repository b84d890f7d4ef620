import xml.etree.ElementTree as ET

DOCUMENT = """<?xml version="1.0"?>
<inventory warehouse="East">
  <item sku="H-100"><name>Hammer</name><stock>14</stock><price currency="EUR">12.50</price></item>
  <item sku="S-220"><name>Saw</name><stock>0</stock><price currency="EUR">21.00</price></item>
  <item sku="D-310" discontinued="true"><name>Drill</name><stock>2</stock><price currency="USD">79.00</price></item>
  <item sku="N-001"><name>Nails &amp; screws</name><stock>350</stock><price currency="EUR">0.08</price></item>
</inventory>"""

RATES = {"EUR": 1.0, "USD": 0.92}

root = ET.fromstring(DOCUMENT)
print("Warehouse:", root.get("warehouse"))
total = 0.0
for item in root.iter("item"):
    price = item.find("price")
    value = int(item.findtext("stock")) * float(price.text) * RATES[price.get("currency")]
    total += value
    print(f"{item.get('sku'):<8}{item.findtext('name'):<16}{item.findtext('stock'):>5}{value:>10.2f}")
print(f"Total: {total:.2f} EUR")

for item in root.findall("item[@discontinued='true']"):
    root.remove(item)
restock = ET.SubElement(root, "restock")
for item in root.findall("item"):
    if int(item.findtext("stock")) == 0:
        order = ET.SubElement(restock, "order", sku=item.get("sku"))
        order.text = "25"

ET.indent(root)
print(ET.tostring(root, encoding="unicode"))
