import string


def shift_char(char, shift):
    if char in string.ascii_lowercase:
        return chr((ord(char) - ord("a") + shift) % 26 + ord("a"))
    if char in string.ascii_uppercase:
        return chr((ord(char) - ord("A") + shift) % 26 + ord("A"))
    return char


def encrypt(text, shift):
    return "".join(shift_char(char, shift) for char in text)


def decrypt(text, shift):
    return encrypt(text, -shift)


def crack(ciphertext):
    """Try every shift and keep the one with the most common English letters."""
    def score(candidate):
        return sum(candidate.lower().count(letter) * weight for letter, weight in zip("etaoinshr", range(9, 0, -1)))

    return max(range(26), key=lambda shift: score(decrypt(ciphertext, shift)))


message = "Meet me near the old lighthouse at ten; bring the other half of the map!"
secret = encrypt(message, 7)
print("Original: ", message)
print("Encrypted:", secret)
print("Decrypted:", decrypt(secret, 7))
found = crack(secret)
print(f"Cracked shift: {found} -> {decrypt(secret, found)}")
assert decrypt(secret, found) == message
