import math
import random
import re
import string

COMMON = {"password", "123456", "qwerty", "letmein", "dragon", "iloveyou"}
WORDS = "copper river saddle lantern orbit velvet pepper glacier walnut anchor meadow ribbon".split()

RULES = [
    ("at least 10 characters", lambda p: len(p) >= 10),
    ("a lower-case letter", re.compile(r"[a-z]").search),
    ("an upper-case letter", re.compile(r"[A-Z]").search),
    ("a digit", re.compile(r"\d").search),
    ("a symbol", re.compile(r"[^\w\s]").search),
    ("no character three times in a row", lambda p: not re.search(r"(.)\1\1", p)),
    ("not a common password", lambda p: p.lower() not in COMMON),
]


def entropy(password):
    classes = (string.ascii_lowercase, string.ascii_uppercase, string.digits, string.punctuation)
    pool = sum(len(chars) for chars in classes if any(char in chars for char in password))
    return len(password) * math.log2(pool) if pool else 0.0


def generate(rng, length=14):
    groups = [string.ascii_lowercase, string.ascii_uppercase, string.digits, "!#%&*+-=?@"]
    chars = [rng.choice(group) for group in groups]
    chars += [rng.choice("".join(groups)) for _ in range(length - len(groups))]
    rng.shuffle(chars)
    return "".join(chars)


rng = random.Random("not for real passwords")
passphrase = "-".join(rng.sample(WORDS, 4))
for password in ["qwerty", "Summer2024", "aaaBBB111!!!", passphrase, generate(rng), generate(rng, 20)]:
    missing = [name for name, check in RULES if not check(password)]
    score = len(RULES) - len(missing)
    print(f"{password:<32}{score}/7 {entropy(password):6.1f} bits")
    for name in missing:
        print("    needs", name)
