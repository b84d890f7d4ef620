import re
from collections import Counter

TEXT = """
The river rose in the night. By morning the lower road was under water, and the
ferryman would not cross. We waited at the inn, where the fire was good and the
soup was thin. "The river always goes down," said the innkeeper, "but it takes the
road with it." By noon the rain had stopped; by evening we could see the road again.
"""

STOP_WORDS = {"the", "and", "a", "in", "it", "at", "by", "was", "we", "of", "to"}


def tokenize(text):
    return re.findall(r"[a-z']+", text.lower())


def main():
    words = tokenize(TEXT)
    counts = Counter(word for word in words if word not in STOP_WORDS)
    print(f"Total words: {len(words)}")
    print(f"Unique words: {len(set(words))}")
    print(f"Average length: {sum(map(len, words)) / len(words):.2f}")
    print("\nMost common words:")
    for word, count in counts.most_common(8):
        print(f"{word:<12}{count:>3}  {'#' * count}")
    longest = sorted(set(words), key=lambda w: (-len(w), w))[:3]
    print("\nLongest:", ", ".join(longest))


if __name__ == "__main__":
    main()
