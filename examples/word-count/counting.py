import re
from collections import Counter


def most_common(lines, count):
    """The most frequent words of the lines, with how often they occur."""
    words = Counter(word.lower() for line in lines for word in re.findall(r"[^\W\d_]+", line))
    return words.most_common(count)
