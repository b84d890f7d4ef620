import hashlib
import hmac
import io
import secrets

DATA = b"The quick brown fox jumps over the lazy dog"
for name in ("md5", "sha1", "sha224", "sha256", "sha384", "sha512", "sha3_256", "sha3_512", "blake2b", "blake2s"):
    h = hashlib.new(name, DATA)
    print(f"{name:9} {h.digest_size:3} {h.block_size:4} {h.hexdigest()[:48]}")
print(hashlib.shake_128(DATA).hexdigest(20))

inc = hashlib.sha256()
for i in range(0, len(DATA), 5):
    inc.update(DATA[i:i + 5])
copy = inc.copy()
copy.update(b".")
print(inc.hexdigest() == hashlib.sha256(DATA).hexdigest(), copy.hexdigest())
print(hashlib.blake2b(DATA, digest_size=16, key=b"secret", person=b"demo", salt=b"salty").hexdigest())
print(hashlib.pbkdf2_hmac("sha256", b"password", b"salt", 1000, 20).hex())
print(hashlib.file_digest(io.BytesIO(DATA), "sha1").hexdigest())

mac = hmac.new(b"key", DATA, "sha256")
print(mac.name, mac.hexdigest(), hmac.digest(b"key", DATA, "md5").hex())
print(hmac.compare_digest(mac.hexdigest(), hmac.new(b"key", DATA, hashlib.sha256).hexdigest()), hmac.compare_digest(b"a", b"b"))
print(len(secrets.token_hex(16)), len(secrets.token_bytes(12)), secrets.choice([7]), secrets.randbelow(1), len(secrets.token_urlsafe(16)))


def merkle(leaves):
    level = [hashlib.sha256(x).digest() for x in leaves]
    while len(level) > 1:
        if len(level) % 2:
            level.append(level[-1])
        level = [hashlib.sha256(a + b).digest() for a, b in zip(level[::2], level[1::2])]
        print("  level", [x.hex()[:8] for x in level])
    return level[0].hex()


print(merkle([b"tx%d" % i for i in range(5)]))
try:
    hashlib.new("nope")
except ValueError as e:
    print("ValueError:", e)
