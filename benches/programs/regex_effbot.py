"""Searching with small patterns in strings of growing amounts of padding."""

import re

SIZES = (0, 5, 50, 250, 1000, 5000, 10000)
ROUNDS = 180

# Each entry: a pattern and the needle placed after the padding.
CASES = [
    ("Python|Perl", "Perl"),
    ("(Python|Perl)", "Perl"),
    ("(?:Python|Perl)", "Perl"),
    ("Python", "Python"),
    ("P[ey]r?[lt]", "Perl"),
    (".*Python", "Python"),
    (".*Python.*", "Python"),
    (".*(Python)", "Python"),
    (".*?(?:Python|Perl)", "Perl"),
    ("(?:P|L)(?:ython|erl|ua)", "Lua"),
    ("([0-9]+)(?:-[0-9]+)*", "12-34-56"),
    ("[a-z]+[0-9]{2,}", "abc123"),
    (r"\bword\b", " word "),
    (r"(?i)PYTHON", "pyThon"),
    (r"\d\d:\d\d", "09:41"),
    ("(a|b|c)+x", "abcabcx"),
]


def padded(needle, size):
    return "-" * size + needle + "-" * size


def bench() -> object:
    compiled = [(re.compile(pattern), needle) for pattern, needle in CASES]
    subjects = []
    for regex, needle in compiled:
        texts = [padded(needle, size) for size in SIZES]
        texts += [text.encode("ascii") for text in texts[2:5]]
        as_bytes = re.compile(regex.pattern.encode("ascii"))
        subjects.append((regex, as_bytes, texts))
    spans = found = 0
    for _ in range(ROUNDS):
        for regex, as_bytes, texts in subjects:
            for text in texts:
                if isinstance(text, str):
                    match = regex.search(text)
                else:
                    match = as_bytes.search(text)
                if match:
                    found += 1
                    spans += match.end() - match.start()
    return found, spans


if __name__ == "__main__":
    print(bench())
