# stdin:
#< The quick brown fox
#< jumps over the lazy dog.
#< 
#< The dog, however, was NOT amused; the fox was!
#< Ünïcode wörds too: naïve café
import sys
import re
from collections import Counter

lines = chars = 0
words = Counter()
lengths = Counter()
for lineno, line in enumerate(sys.stdin, 1):
    lines += 1
    chars += len(line)
    found = [w.lower() for w in re.findall(r"\w+", line)]
    print(f"{lineno}: {len(found)} words {line.rstrip()!r}")
    words.update(found)
    lengths.update(map(len, found))

print(f"lines={lines} words={words.total()} chars={chars} unique={len(words)}")
for word, n in sorted(words.items(), key=lambda kv: (-kv[1], kv[0]))[:6]:
    print(f"{word:<10}{n}")
for size in sorted(lengths):
    print(f"{size:2} {'*' * lengths[size]}")
print(sys.stdin.read() == "", repr(sys.stdin.readline()), sys.stdin.encoding, sys.stdout.encoding)
longest = max(words, key=lambda w: (len(w), w))
print(longest, longest.encode())
