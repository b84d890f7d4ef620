/* RIPEMD-160, SM3, SHA-512/t, SHA-256/192, MD5-SHA1 and Keccak with its first padding, over HACL*'s where it has the
 * compression function. */
#include "digest.h"
#include "internal/Hacl_Hash_MD5.h"
#include "internal/Hacl_Hash_SHA1.h"
#include "internal/Hacl_Hash_SHA2.h"
#include "internal/Hacl_Hash_SHA3.h"
#include <string.h>

#define COUNT(array) (sizeof(array) / sizeof *(array))

static inline uint32_t rotate(uint32_t x, unsigned n) {
    n &= 31;
    return n == 0 ? x : x << n | x >> (32 - n);
}

static inline uint32_t big_endian(const uint8_t *at) {
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

static inline uint32_t little_endian(const uint8_t *at) {
    return (uint32_t)at[3] << 24 | (uint32_t)at[2] << 16 | (uint32_t)at[1] << 8 | at[0];
}

/* Appends a one bit, zeros and the length in bits, and takes what there is then. */
static void pad(const struct digest *digest, struct digest_state *state, int length_is_little_endian) {
    uint64_t bits = state->bytes * 8;
    uint8_t *tail = state->tail;
    tail[state->tail_bytes++] = 0x80;
    if (state->tail_bytes > digest->block_bytes - 8) {
        memset(tail + state->tail_bytes, 0, digest->block_bytes - state->tail_bytes);
        digest->absorb(digest, state, tail, 1);
        state->tail_bytes = 0;
    }
    memset(tail + state->tail_bytes, 0, digest->block_bytes - state->tail_bytes);
    for (int i = 0; i < 8; i++) {
        tail[digest->block_bytes - 8 + i] = (uint8_t)(bits >> 8 * (length_is_little_endian ? i : 7 - i));
    }
    digest->absorb(digest, state, tail, 1);
}

/* ---- RIPEMD-160: H. Dobbertin, A. Bosselaers, B. Preneel, 1996 ---- */

static void ripemd160_init(struct digest_state *state) {
    static const uint32_t start[5] = {0x67452301, 0xefcdab89, 0x98badcfe, 0x10325476, 0xc3d2e1f0};
    memcpy(state->words, start, sizeof start);
}

static inline uint32_t ripemd160_mix(int round, uint32_t x, uint32_t y, uint32_t z) {
    switch (round) {
    case 0: return x ^ y ^ z;
    case 1: return (x & y) | (~x & z);
    case 2: return (x | ~y) ^ z;
    case 3: return (x & z) | (y & ~z);
    default: return x ^ (y | ~z);
    }
}

static void ripemd160_absorb(const struct digest *digest, struct digest_state *state, const uint8_t *data,
                             size_t blocks) {
    static const uint8_t word[2][80] = {
        {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 7, 4, 13, 1, 10, 6, 15, 3, 12, 0, 9, 5, 2, 14, 11, 8,
         3, 10, 14, 4, 9, 15, 8, 1, 2, 7, 0, 6, 13, 11, 5, 12, 1, 9, 11, 10, 0, 8, 12, 4, 13, 3, 7, 15, 14, 5, 6, 2,
         4, 0, 5, 9, 7, 12, 2, 10, 14, 1, 3, 8, 11, 6, 15, 13},
        {5, 14, 7, 0, 9, 2, 11, 4, 13, 6, 15, 8, 1, 10, 3, 12, 6, 11, 3, 7, 0, 13, 5, 10, 14, 15, 8, 12, 4, 9, 1, 2,
         15, 5, 1, 3, 7, 14, 6, 9, 11, 8, 12, 2, 10, 0, 4, 13, 8, 6, 4, 1, 3, 11, 15, 0, 5, 12, 2, 13, 9, 7, 10, 14,
         12, 15, 10, 4, 1, 5, 8, 7, 6, 2, 13, 14, 0, 3, 9, 11},
    };
    static const uint8_t turn[2][80] = {
        {11, 14, 15, 12, 5, 8, 7, 9, 11, 13, 14, 15, 6, 7, 9, 8, 7, 6, 8, 13, 11, 9, 7, 15, 7, 12, 15, 9, 11, 7, 13, 12,
         11, 13, 6, 7, 14, 9, 13, 15, 14, 8, 13, 6, 5, 12, 7, 5, 11, 12, 14, 15, 14, 15, 9, 8, 9, 14, 5, 6, 8, 6, 5, 12,
         9, 15, 5, 11, 6, 8, 13, 12, 5, 12, 13, 14, 11, 8, 5, 6},
        {8, 9, 9, 11, 13, 15, 15, 5, 7, 7, 8, 11, 14, 14, 12, 6, 9, 13, 15, 7, 12, 8, 9, 11, 7, 7, 12, 7, 6, 15, 13, 11,
         9, 7, 15, 11, 8, 6, 6, 14, 12, 13, 5, 14, 13, 13, 7, 5, 15, 5, 8, 11, 14, 14, 6, 14, 6, 9, 12, 9, 12, 5, 15, 8,
         8, 5, 12, 9, 12, 5, 14, 6, 8, 13, 6, 5, 15, 13, 11, 11},
    };
    static const uint32_t constant[2][5] = {
        {0, 0x5a827999, 0x6ed9eba1, 0x8f1bbcdc, 0xa953fd4e},
        {0x50a28be6, 0x5c4dd124, 0x6d703ef3, 0x7a6d76e9, 0},
    };
    (void)digest;
    uint32_t *h = (uint32_t *)state->words;
    for (; blocks > 0; blocks--, data += 64) {
        uint32_t x[16], line[2][5];
        for (int i = 0; i < 16; i++) {
            x[i] = little_endian(data + 4 * i);
        }
        for (int side = 0; side < 2; side++) {
            uint32_t a = h[0], b = h[1], c = h[2], d = h[3], e = h[4];
            for (int i = 0; i < 80; i++) {
                int round = i / 16;
                uint32_t mixed = ripemd160_mix(side == 0 ? round : 4 - round, b, c, d);
                uint32_t t = rotate(a + mixed + x[word[side][i]] + constant[side][round], turn[side][i]) + e;
                a = e, e = d, d = rotate(c, 10), c = b, b = t;
            }
            line[side][0] = a, line[side][1] = b, line[side][2] = c, line[side][3] = d, line[side][4] = e;
        }
        uint32_t t = h[1] + line[0][2] + line[1][3];
        h[1] = h[2] + line[0][3] + line[1][4];
        h[2] = h[3] + line[0][4] + line[1][0];
        h[3] = h[4] + line[0][0] + line[1][1];
        h[4] = h[0] + line[0][1] + line[1][2];
        h[0] = t;
    }
}

static void ripemd160_finish(const struct digest *digest, struct digest_state *state, uint8_t *out) {
    pad(digest, state, 1);
    memcpy(out, state->words, digest->bytes); /* WebAssembly is little endian */
}

/* ---- SM3: GB/T 32905-2016 ---- */

static void sm3_init(struct digest_state *state) {
    static const uint32_t start[8] = {0x7380166f, 0x4914b2b9, 0x172442d7, 0xda8a0600,
                                      0xa96f30bc, 0x163138aa, 0xe38dee4d, 0xb0fb0e4e};
    memcpy(state->words, start, sizeof start);
}

static void sm3_absorb(const struct digest *digest, struct digest_state *state, const uint8_t *data, size_t blocks) {
    (void)digest;
    uint32_t *v = (uint32_t *)state->words;
    for (; blocks > 0; blocks--, data += 64) {
        uint32_t w[68];
        for (int i = 0; i < 16; i++) {
            w[i] = big_endian(data + 4 * i);
        }
        for (int i = 16; i < 68; i++) {
            uint32_t x = w[i - 16] ^ w[i - 9] ^ rotate(w[i - 3], 15);
            w[i] = x ^ rotate(x, 15) ^ rotate(x, 23) ^ rotate(w[i - 13], 7) ^ w[i - 6];
        }
        uint32_t a = v[0], b = v[1], c = v[2], d = v[3], e = v[4], f = v[5], g = v[6], h = v[7];
        for (int i = 0; i < 64; i++) {
            uint32_t constant = i < 16 ? 0x79cc4519 : 0x7a879d8a;
            uint32_t first = rotate(rotate(a, 12) + e + rotate(constant, (unsigned)i), 7);
            uint32_t second = first ^ rotate(a, 12);
            uint32_t either = i < 16 ? a ^ b ^ c : (a & b) | (a & c) | (b & c);
            uint32_t chosen = i < 16 ? e ^ f ^ g : (e & f) | (~e & g);
            uint32_t left = either + d + second + (w[i] ^ w[i + 4]);
            uint32_t right = chosen + h + first + w[i];
            d = c, c = rotate(b, 9), b = a, a = left;
            h = g, g = rotate(f, 19), f = e, e = right ^ rotate(right, 9) ^ rotate(right, 17);
        }
        v[0] ^= a, v[1] ^= b, v[2] ^= c, v[3] ^= d, v[4] ^= e, v[5] ^= f, v[6] ^= g, v[7] ^= h;
    }
}

static void sm3_finish(const struct digest *digest, struct digest_state *state, uint8_t *out) {
    pad(digest, state, 0);
    const uint32_t *words = (const uint32_t *)state->words;
    for (uint32_t i = 0; i < digest->bytes; i++) {
        out[i] = (uint8_t)(words[i / 4] >> (24 - 8 * (i % 4)));
    }
}

/* ---- SHA-512/224 and SHA-512/256: FIPS 180-4, sections 5.3.6 and 6.6 ---- */

static void sha512_224_init(struct digest_state *state) {
    static const uint64_t start[8] = {0x8c3d37c819544da2, 0x73e1996689dcd4d6, 0x1dfab7ae32ff9c82, 0x679dd514582f9fcf,
                                      0x0f6d2b697bd44da8, 0x77e36f7304c48942, 0x3f9d85a86a1d36c8, 0x1112e6ad91d692a1};
    memcpy(state->words, start, sizeof start);
}

static void sha512_256_init(struct digest_state *state) {
    static const uint64_t start[8] = {0x22312194fc2bf72c, 0x9f555fa3c84c64c2, 0x2393b86b6f53b151, 0x963877195940eabd,
                                      0x96283ee2a88effe3, 0xbe5e1e2553863992, 0x2b0199fc2c85b8aa, 0x0eb72ddc81c52ca2};
    memcpy(state->words, start, sizeof start);
}

static void sha512_absorb(const struct digest *digest, struct digest_state *state, const uint8_t *data,
                          size_t blocks) {
    (void)digest;
    Hacl_Hash_SHA2_sha512_update_nblocks((uint32_t)(blocks * 128), (uint8_t *)data, state->words);
}

static void sha512_finish(const struct digest *digest, struct digest_state *state, uint8_t *out) {
    uint8_t whole[64];
    Hacl_Hash_SHA2_sha512_update_last(FStar_UInt128_uint64_to_uint128(state->bytes), state->tail_bytes, state->tail,
                                      state->words);
    Hacl_Hash_SHA2_sha512_finish(state->words, whole);
    memcpy(out, whole, digest->bytes);
}

/* ---- SHA-256 cut to 192 bits ---- */

static void sha256_init(struct digest_state *state) { Hacl_Hash_SHA2_sha256_init((uint32_t *)state->words); }

static void sha256_absorb(const struct digest *digest, struct digest_state *state, const uint8_t *data,
                          size_t blocks) {
    (void)digest;
    Hacl_Hash_SHA2_sha256_update_nblocks((uint32_t)(blocks * 64), (uint8_t *)data, (uint32_t *)state->words);
}

static void sha256_finish(const struct digest *digest, struct digest_state *state, uint8_t *out) {
    uint8_t whole[32];
    Hacl_Hash_SHA2_sha256_update_last(state->bytes, state->tail_bytes, state->tail, (uint32_t *)state->words);
    Hacl_Hash_SHA2_sha256_finish((uint32_t *)state->words, whole);
    memcpy(out, whole, digest->bytes);
}

/* ---- MD5 followed by SHA-1, as TLS 1.0 signed them ---- */

#define SHA1_WORDS(state) ((uint32_t *)((state)->words + 2))

static void md5_sha1_init(struct digest_state *state) {
    Hacl_Hash_MD5_init((uint32_t *)state->words);
    Hacl_Hash_SHA1_init(SHA1_WORDS(state));
}

static void md5_sha1_absorb(const struct digest *digest, struct digest_state *state, const uint8_t *data,
                            size_t blocks) {
    (void)digest;
    Hacl_Hash_MD5_update_multi((uint32_t *)state->words, (uint8_t *)data, (uint32_t)blocks);
    Hacl_Hash_SHA1_update_multi(SHA1_WORDS(state), (uint8_t *)data, (uint32_t)blocks);
}

static void md5_sha1_finish(const struct digest *digest, struct digest_state *state, uint8_t *out) {
    (void)digest;
    uint64_t before = state->bytes - state->tail_bytes;
    Hacl_Hash_MD5_update_last((uint32_t *)state->words, before, state->tail, state->tail_bytes);
    Hacl_Hash_SHA1_update_last(SHA1_WORDS(state), before, state->tail, state->tail_bytes);
    Hacl_Hash_MD5_finish((uint32_t *)state->words, out);
    Hacl_Hash_SHA1_finish(SHA1_WORDS(state), out + 16);
}

/* ---- Keccak as submitted, before FIPS 202 changed its padding ---- */

static void keccak_init(struct digest_state *state) { memset(state->words, 0, sizeof state->words); }

static void keccak_absorb(const struct digest *digest, struct digest_state *state, const uint8_t *data,
                          size_t blocks) {
    /* HACL* reads 256 bytes and takes all of them: what is behind a block must be zero. */
    uint8_t block[256] = {0};
    for (; blocks > 0; blocks--, data += digest->block_bytes) {
        memcpy(block, data, digest->block_bytes);
        Hacl_Hash_SHA3_absorb_inner_32(digest->block_bytes, block, state->words);
    }
}

static void keccak_finish(const struct digest *digest, struct digest_state *state, uint8_t *out) {
    memset(state->tail + state->tail_bytes, 0, digest->block_bytes - state->tail_bytes);
    state->tail[state->tail_bytes] = 1;
    state->tail[digest->block_bytes - 1] |= 0x80;
    keccak_absorb(digest, state, state->tail, 1);
    memcpy(out, state->words, digest->bytes);
}

/* ---- all of them ---- */

/* OpenSSL has no number for the last ones, and CPython calls what has none "undefined". */
static const struct digest DIGESTS[] = {
    {"ripemd160", "ripemd160", 20, 64, ripemd160_init, ripemd160_absorb, ripemd160_finish},
    {"sm3", "sm3", 32, 64, sm3_init, sm3_absorb, sm3_finish},
    {"sha512_224", "sha512_224", 28, 128, sha512_224_init, sha512_absorb, sha512_finish},
    {"sha512_256", "sha512_256", 32, 128, sha512_256_init, sha512_absorb, sha512_finish},
    {"md5-sha1", "md5-sha1", 36, 64, md5_sha1_init, md5_sha1_absorb, md5_sha1_finish},
    {"sha256-192", "undefined", 24, 64, sha256_init, sha256_absorb, sha256_finish},
    {"keccak-224", "undefined", 28, 144, keccak_init, keccak_absorb, keccak_finish},
    {"keccak-256", "undefined", 32, 136, keccak_init, keccak_absorb, keccak_finish},
    {"keccak-384", "undefined", 48, 104, keccak_init, keccak_absorb, keccak_finish},
    {"keccak-512", "undefined", 64, 72, keccak_init, keccak_absorb, keccak_finish},
};

const struct digest *digest_named(const char *name) {
    for (size_t i = 0; i < COUNT(DIGESTS); i++) {
        if (strcmp(DIGESTS[i].name, name) == 0) {
            return &DIGESTS[i];
        }
    }
    return NULL;
}

void digest_init(const struct digest *digest, struct digest_state *state) {
    state->bytes = 0;
    state->tail_bytes = 0;
    digest->init(state);
}

/* What is given to a compression function at once: its length is 32 bits wide in HACL*. */
#define BLOCKS_MAX ((size_t)1 << 20)

void digest_update(const struct digest *digest, struct digest_state *state, const uint8_t *data, size_t length) {
    if (length == 0) {
        return;
    }
    state->bytes += length;
    if (state->tail_bytes > 0) {
        size_t room = digest->block_bytes - state->tail_bytes, taken = length < room ? length : room;
        memcpy(state->tail + state->tail_bytes, data, taken);
        state->tail_bytes += (uint32_t)taken;
        data += taken;
        length -= taken;
        if (state->tail_bytes < digest->block_bytes) {
            return;
        }
        digest->absorb(digest, state, state->tail, 1);
        state->tail_bytes = 0;
    }
    while (length >= digest->block_bytes) {
        size_t blocks = length / digest->block_bytes;
        blocks = blocks < BLOCKS_MAX ? blocks : BLOCKS_MAX;
        digest->absorb(digest, state, data, blocks);
        data += blocks * digest->block_bytes;
        length -= blocks * digest->block_bytes;
    }
    memcpy(state->tail, data, length);
    state->tail_bytes = (uint32_t)length;
}

void digest_finish(const struct digest *digest, struct digest_state *state, uint8_t *out) {
    digest->finish(digest, state, out);
}

void digest_hmac(const struct digest *digest, uint8_t *out, const uint8_t *key, size_t key_length, const uint8_t *data,
                 size_t length) {
    struct digest_state state;
    uint8_t block[DIGEST_BLOCK_BYTES_MAX] = {0}, inner[DIGEST_BYTES_MAX];
    if (key_length > digest->block_bytes) {
        digest_init(digest, &state);
        digest_update(digest, &state, key, key_length);
        digest_finish(digest, &state, block);
    } else if (key_length > 0) {
        memcpy(block, key, key_length);
    }
    for (uint32_t i = 0; i < digest->block_bytes; i++) {
        block[i] ^= 0x36;
    }
    digest_init(digest, &state);
    digest_update(digest, &state, block, digest->block_bytes);
    digest_update(digest, &state, data, length);
    digest_finish(digest, &state, inner);
    for (uint32_t i = 0; i < digest->block_bytes; i++) {
        block[i] ^= 0x36 ^ 0x5c;
    }
    digest_init(digest, &state);
    digest_update(digest, &state, block, digest->block_bytes);
    digest_update(digest, &state, inner, digest->bytes);
    digest_finish(digest, &state, out);
}
