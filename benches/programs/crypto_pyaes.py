"""AES-128 in pure Python with round tables: counter mode and CBC there and back."""

LENGTH = 75000
KEY = b"\xa1\xf6\x25\x8c\x87\x7d\x5f\xcd\x89\x64\x48\x45\x38\xbf\xc9\x2c"
CLEARTEXT = b"This is a test. What could possibly go wrong? "


def make_tables():
    """The S-box, its inverse, and the merged tables of one round either way."""
    power = [0] * 256
    log = [0] * 256
    x = 1
    for i in range(255):
        power[i] = x
        log[x] = i
        x ^= (x << 1) ^ (0x11B if x & 0x80 else 0)
    power[255] = power[0]

    def mul(a, b):
        return power[(log[a] + log[b]) % 255] if a and b else 0

    sbox = [0] * 256
    inverse = [0] * 256
    for i in range(256):
        s = power[255 - log[i]] if i else 0
        s ^= (s << 1) ^ (s << 2) ^ (s << 3) ^ (s << 4)
        s = (s ^ (s >> 8) ^ 0x63) & 0xFF
        sbox[i] = s
        inverse[s] = i

    def words(box, a, b, c, d):
        table = []
        for s in box:
            table.append(mul(s, a) << 24 | mul(s, b) << 16 | mul(s, c) << 8 | mul(s, d))
        return table

    def turn(table):
        return [w >> 8 | (w & 0xFF) << 24 for w in table]

    t0 = words(sbox, 2, 1, 1, 3)
    t1 = turn(t0)
    t2 = turn(t1)
    t3 = turn(t2)
    d0 = words(inverse, 14, 9, 13, 11)
    d1 = turn(d0)
    d2 = turn(d1)
    d3 = turn(d2)
    return sbox, inverse, (t0, t1, t2, t3), (d0, d1, d2, d3)


SBOX, INVERSE, ENC, DEC = make_tables()


class AES:
    def __init__(self, key):
        self.rounds = len(key) // 4 + 6
        self.enc_keys = self.expand(key)
        self.dec_keys = self.invert(self.enc_keys)

    def expand(self, key):
        n = len(key) // 4
        words = [int.from_bytes(key[i : i + 4], "big") for i in range(0, len(key), 4)]
        rcon = 1
        for i in range(n, 4 * (self.rounds + 1)):
            w = words[-1]
            if i % n == 0:
                w = self.substitute((w << 8 | w >> 24) & 0xFFFFFFFF) ^ rcon << 24
                rcon = rcon << 1 ^ (0x11B if rcon & 0x80 else 0)
            elif n > 6 and i % n == 4:
                w = self.substitute(w)
            words.append(words[i - n] ^ w)
        return [tuple(words[i : i + 4]) for i in range(0, len(words), 4)]

    @staticmethod
    def substitute(w):
        return (
            SBOX[w >> 24] << 24
            | SBOX[w >> 16 & 255] << 16
            | SBOX[w >> 8 & 255] << 8
            | SBOX[w & 255]
        )

    @staticmethod
    def invert(keys):
        """Round keys of the equivalent inverse cipher, last round first."""
        d0, d1, d2, d3 = DEC
        out = [keys[-1]]
        for group in keys[-2:0:-1]:
            out.append(
                tuple(
                    d0[SBOX[w >> 24]]
                    ^ d1[SBOX[w >> 16 & 255]]
                    ^ d2[SBOX[w >> 8 & 255]]
                    ^ d3[SBOX[w & 255]]
                    for w in group
                )
            )
        out.append(keys[0])
        return out

    @staticmethod
    def crypt(block, keys, tables, box, step):
        """Both directions: step is how the rows rotate (1 to encrypt, 3 to decrypt)."""
        t0, t1, t2, t3 = tables
        state = [
            int.from_bytes(block[i * 4 : i * 4 + 4], "big") ^ keys[0][i] for i in range(4)
        ]
        for key in keys[1:-1]:
            fresh = []
            for i in range(4):
                fresh.append(
                    t0[state[i] >> 24]
                    ^ t1[state[(i + step) & 3] >> 16 & 255]
                    ^ t2[state[(i + 2) & 3] >> 8 & 255]
                    ^ t3[state[(i + 3 * step) & 3] & 255]
                    ^ key[i]
                )
            state = fresh
        out = bytearray()
        last = keys[-1]
        for i in range(4):
            w = (
                box[state[i] >> 24] << 24
                | box[state[(i + step) & 3] >> 16 & 255] << 16
                | box[state[(i + 2) & 3] >> 8 & 255] << 8
                | box[state[(i + 3 * step) & 3] & 255]
            ) ^ last[i]
            out += w.to_bytes(4, "big")
        return out

    def encrypt_block(self, block):
        return self.crypt(block, self.enc_keys, ENC, SBOX, 1)

    def decrypt_block(self, block):
        return self.crypt(block, self.dec_keys, DEC, INVERSE, 3)


def ctr(aes, data, counter=0):
    out = bytearray()
    for start in range(0, len(data), 16):
        stream = aes.encrypt_block(counter.to_bytes(16, "big"))
        counter += 1
        for a, b in zip(data[start : start + 16], stream):
            out.append(a ^ b)
    return bytes(out)


def cbc_encrypt(aes, data, iv):
    out = bytearray()
    last = iv
    for start in range(0, len(data), 16):
        block = bytes([a ^ b for a, b in zip(data[start : start + 16], last)])
        last = aes.encrypt_block(block)
        out += last
    return bytes(out)


def cbc_decrypt(aes, data, iv):
    out = bytearray()
    last = iv
    for start in range(0, len(data), 16):
        block = data[start : start + 16]
        out += bytes([a ^ b for a, b in zip(aes.decrypt_block(block), last)])
        last = block
    return bytes(out)


def bench() -> object:
    text = (CLEARTEXT * (LENGTH // len(CLEARTEXT) + 1))[:LENGTH]
    aes = AES(KEY)
    cipher = ctr(aes, text, 1)
    if ctr(AES(KEY), cipher, 1) != text:
        raise ValueError("counter mode did not come back")
    part = text[: LENGTH // 2 // 16 * 16]
    iv = bytes(range(16))
    chained = cbc_encrypt(aes, part, iv)
    if cbc_decrypt(aes, chained, iv) != part:
        raise ValueError("chained mode did not come back")
    return cipher[-8:].hex(), chained[-8:].hex()


if __name__ == "__main__":
    print(bench())
