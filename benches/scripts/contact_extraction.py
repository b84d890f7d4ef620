import re

DOCUMENT = """
For orders write to orders@shop.example.com or call +1 (555) 010-4477. Press: Anna Berg,
anna.berg+press@news.example.org, 555.010.9921. Old addresses such as info@@shop or
sales@shop no longer work. Our hours changed on 2024-11-03 (before: 3/11/2023). Visit
https://shop.example.com/help?topic=returns#top or http://news.example.org.
"""

PATTERNS = {
    "email": r"\b[\w.+-]+@(?:[\w-]+\.)+[a-z]{2,}\b",
    "phone": r"(?:\+\d{1,2}\s)?\(?\d{3}\)?[\s.-]\d{3}[\s.-]\d{4}\b",
    "iso date": r"\b\d{4}-\d{2}-\d{2}\b",
    "url": r"https?://[^\s)]+?(?=[.,]?(?:\s|$))",
}


def normalize_phone(raw):
    digits = re.sub(r"\D", "", raw)
    return f"{digits[-10:-7]}-{digits[-7:-4]}-{digits[-4:]}"


def mask_email(email):
    user, _, domain = email.partition("@")
    return f"{user[0]}{'*' * (len(user) - 1)}@{domain}"


for kind, pattern in PATTERNS.items():
    matches = re.findall(pattern, DOCUMENT)
    print(f"{kind} ({len(matches)}):")
    for match in matches:
        print("  ", normalize_phone(match) if kind == "phone" else match)

redacted = re.sub(PATTERNS["email"], lambda match: mask_email(match.group()), DOCUMENT)
print(redacted.strip().splitlines()[0])
