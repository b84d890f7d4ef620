#ifndef PYEXEC_DIGEST_H
#define PYEXEC_DIGEST_H
#include <stdint.h>
#include <stddef.h>

/* The longest digest and the longest block. */
#define DIGEST_BYTES_MAX 64
#define DIGEST_BLOCK_BYTES_MAX 144

/* A digest that has taken part of its message. */
struct digest_state {
    uint64_t words[25];
    uint64_t bytes; /* taken so far */
    uint8_t tail[DIGEST_BLOCK_BYTES_MAX];
    uint32_t tail_bytes; /* of these, not yet in `words` */
};

/* Digests that OpenSSL has and CPython itself has not. */
struct digest {
    const char *name;
    const char *python_name; /* as a hash object shows it */
    uint32_t bytes;
    uint32_t block_bytes;
    void (*init)(struct digest_state *state);
    void (*absorb)(const struct digest *digest, struct digest_state *state, const uint8_t *data, size_t blocks);
    void (*finish)(const struct digest *digest, struct digest_state *state, uint8_t *out);
};

/* Finds a digest by the exact name; NULL when there is none. */
const struct digest *digest_named(const char *name);

void digest_init(const struct digest *digest, struct digest_state *state);
void digest_update(const struct digest *digest, struct digest_state *state, const uint8_t *data, size_t length);
/* Leaves the state useless. */
void digest_finish(const struct digest *digest, struct digest_state *state, uint8_t *out);
/* RFC 2104. */
void digest_hmac(const struct digest *digest, uint8_t *out, const uint8_t *key, size_t key_length, const uint8_t *data,
                 size_t length);

#endif
