#: promise = "XML nested a hundred thousand deep can be parsed, printed and freed, or fails cleanly"
#: wall_clock_ms = 20000
#: outcome = ["completed", "stack_overflow"]
#: exit_code = 0
#: stdout = "ok\n"
import copy
import xml.etree.ElementTree as ET

n = 10**5
root = None
try:
    root = ET.fromstring("<a>" * n + "</a>" * n)
except (RecursionError, ET.ParseError):
    pass
for use in (lambda: ET.tostring(root), lambda: copy.deepcopy(root), lambda: sum(1 for _ in root.iter()), lambda: ET.indent(root)):
    try:
        use()
    except RecursionError:
        pass
del root
print("ok")
