import re
import unicodedata


def slugify(title: str, max_length: int = 40) -> str:
    normalized = unicodedata.normalize("NFKD", title.replace("ß", "ss"))
    ascii_text = normalized.encode("ascii", "ignore").decode("ascii")
    slug = re.sub(r"[^a-z0-9]+", "-", ascii_text.lower()).strip("-")
    return slug[:max_length].rstrip("-") or "untitled"


titles = [
    "Crème brûlée in 10 Minuten",
    "Straßenbahnen & Züge: ein Überblick",
    "¿Dónde está la biblioteca?",
    "Łódź – a weekend guide",
    "日本語",
    "C++ vs. Rust (part 2/3)",
    "A very long headline that goes on and on about nothing in particular",
]

seen: dict[str, int] = {}
for title in titles:
    slug = slugify(title)
    seen[slug] = seen.get(slug, 0) + 1
    print(f"{title[:36]:<38} {slug}")

print("\nCharacters outside ASCII:")
special = sorted({char for title in titles for char in title if ord(char) > 127})
for char in special:
    name = unicodedata.name(char, "UNKNOWN")
    print(f"  U+{ord(char):04X} {unicodedata.category(char)} {name}")

same = unicodedata.normalize("NFC", "e\u0301") == "é"
print("NFC composes e + acute:", same)
