import plistlib
from datetime import datetime
import enum

doc = {
    "name": "Dévice",
    "version": 3,
    "ratio": 0.5,
    "enabled": True,
    "disabled": False,
    "blob": b"\x00\x01binary" * 5,
    "when": datetime(2024, 2, 29, 12, 30, 15),
    "items": ["a", {"nested": [1, 2, 3]}, []],
    "big": 2**63 - 1,
    "escape": "<tag> & 'quote'",
}
xml = plistlib.dumps(doc)
print(xml.decode())
binary = plistlib.dumps(doc, fmt=plistlib.FMT_BINARY)
print(binary[:8], len(binary))
print(plistlib.loads(xml) == doc, plistlib.loads(binary) == doc)
with open("x.plist", "wb") as fh:
    plistlib.dump({"b": 1, "a": plistlib.UID(5)}, fh, fmt=plistlib.FMT_BINARY, sort_keys=False)
with open("x.plist", "rb") as fh:
    print(plistlib.load(fh))
print(plistlib.loads(b"<plist version='1.0'><array><string>x</string><true/><integer>0x1F</integer></array></plist>"))
for bad in (lambda: plistlib.dumps({"x": None}), lambda: plistlib.dumps({1: "a"}), lambda: plistlib.loads(b"junk"), lambda: plistlib.dumps(2**64),
            lambda: plistlib.loads(b"<plist><dict><string>no key</string></dict></plist>")):
    try:
        bad()
    except Exception as e:
        print(type(e).__name__, e)
