#: promise = "The billion laughs document is refused by the XML parser"
#: outcome = ["completed", "memory_limit"]
#: exit_code = 0
#: stdout = "ok\n"
import xml.etree.ElementTree as ET

entities = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 12))
document = f'<!DOCTYPE x [<!ENTITY e0 "ha ha ha">{entities}]><x>&e11;</x>'
try:
    ET.fromstring(document)
except (ET.ParseError, MemoryError):
    print("ok")
