def levenshtein(a: str, b: str) -> int:
    """Edit distance with two rows of the usual table."""
    previous = list(range(len(b) + 1))
    for i, char_a in enumerate(a, start=1):
        current = [i]
        for j, char_b in enumerate(b, start=1):
            cost = 0 if char_a == char_b else 1
            current.append(min(previous[j] + 1, current[j - 1] + 1, previous[j - 1] + cost))
        previous = current
    return previous[-1]


DICTIONARY = [
    "accommodate", "believe", "calendar", "definitely", "embarrass", "foreign", "government",
    "independent", "knowledge", "library", "necessary", "occasion", "receive", "separate", "weird",
]


def suggest(word, limit=2):
    if word in DICTIONARY:
        return []
    ranked = sorted(DICTIONARY, key=lambda known: (levenshtein(word, known), known))
    return [known for known in ranked if levenshtein(word, known) <= 3][:limit]


for word in ("acommodate", "recieve", "definately", "calendar", "goverment", "wierd", "qqqqqq"):
    options = suggest(word)
    if word in DICTIONARY:
        print(f"{word}: correct")
    elif options:
        print(f"{word}: did you mean {' or '.join(options)}?")
    else:
        print(f"{word}: no suggestion")
