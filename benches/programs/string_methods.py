"""Everyday str work: join, split, replace, find, case, translate and formatting."""

WORDS = (
    "the quick brown fox jumps over a lazy dog while seven wizards brew potions "
    "beside an ancient river of glass and copper under pale moons"
).split()
LINES = 6000
ROUNDS = 11


def make_text():
    lines = []
    seed = 7
    for i in range(LINES):
        row = []
        for _ in range(9):
            seed = (seed * 1103515245 + 12345) & 0x7FFFFFFF
            row.append(WORDS[(seed >> 12) % len(WORDS)])
        lines.append(f"{i:05d}: " + " ".join(row) + ("  \t" if i % 4 == 0 else ""))
    return "\n".join(lines)


def words_of(text):
    total = longest = 0
    for line in text.splitlines():
        head, _, tail = line.partition(":")
        parts = tail.strip().split()
        total += len(parts) + int(head) % 10
        longest = max(longest, len(",".join(parts)))
    return total, longest


def rewrite(text):
    table = str.maketrans("aeiou", "43105", "wz")
    out = []
    for line in text.split("\n"):
        line = line.replace("fox", "badger").replace("lazy ", "")
        if line.endswith(("  \t", "moons")):
            line = line.rstrip().title()
        elif "river" in line:
            line = line.upper()
        else:
            line = line.translate(table)
        out.append(line.ljust(70, ".")[:70])
    return "\n".join(out)


def count_marks(text):
    found = 0
    for needle in ("badger", "RIVER", "p0t10ns", "missing", "Moons"):
        found += text.count(needle)
        at = text.find(needle)
        while at >= 0:
            found += 1
            at = text.find(needle, at + 1)
    return found


def formats():
    size = 0
    for i in range(LINES * 2):
        name = WORDS[i % len(WORDS)]
        a = f"{name:>12}|{i:08.3f}|{i:x}|{i!r}"
        b = "{0:<10}-{1:,}-{2}".format(name, i * 1000, name)
        c = "%s=%d (%5.2f%%)" % (name, i, i / 7)
        size += len(a) + len(b) + len(c)
        if a.strip().startswith("the") or b.isalpha() or c[0].isupper():
            size += 1
    return size


def build_up():
    text = ""
    for i in range(LINES * 4):
        text += chr(97 + i % 26)
    data = text.encode("utf-8")
    return len(data.decode("ascii")) + text[::-1].index("a") + text.rfind("z")


def bench() -> object:
    text = make_text()
    total = longest = 0
    for _ in range(ROUNDS):
        total, longest = words_of(text)
    changed = text
    for _ in range(ROUNDS):
        changed = rewrite(text)
    marks = 0
    for _ in range(ROUNDS):
        marks += count_marks(changed)
    size = 0
    for _ in range(ROUNDS // 2):
        size += formats()
    return total, longest, len(changed), marks, size, build_up()


if __name__ == "__main__":
    print(bench())
