/* hashlib.pbkdf2_hmac and hashlib.scrypt, which CPython takes from OpenSSL, over the HACL* code it carries itself. */
#include "hash.h"
#include "Hacl_HMAC.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef void hmac_function(uint8_t *out, uint8_t *key, uint32_t key_length, uint8_t *data, uint32_t data_length);

static const struct {
    const char *name;
    hmac_function *hmac;
    uint32_t bytes;
} HASHES[] = {
    {"md5", Hacl_HMAC_compute_md5, 16},
    {"sha1", Hacl_HMAC_compute_sha1, 20},
    {"sha224", Hacl_HMAC_compute_sha2_224, 28},
    {"sha256", Hacl_HMAC_compute_sha2_256, 32},
    {"sha384", Hacl_HMAC_compute_sha2_384, 48},
    {"sha512", Hacl_HMAC_compute_sha2_512, 64},
    {"sha3_224", Hacl_HMAC_compute_sha3_224, 28},
    {"sha3_256", Hacl_HMAC_compute_sha3_256, 32},
    {"sha3_384", Hacl_HMAC_compute_sha3_384, 48},
    {"sha3_512", Hacl_HMAC_compute_sha3_512, 64},
};

#define DIGEST_MAX 64

/* RFC 8018, section 5.2. `salt` has four spare bytes behind it for the block number. */
static void pbkdf2(hmac_function *hmac, uint32_t bytes, const uint8_t *password, uint32_t password_length, uint8_t *salt,
                   uint32_t salt_length, uint64_t iterations, uint8_t *out, size_t out_length) {
    uint8_t u[DIGEST_MAX], t[DIGEST_MAX];
    uint8_t *key = (uint8_t *)password;
    for (uint32_t block = 1; out_length > 0; block++) {
        for (int i = 0; i < 4; i++) {
            salt[salt_length + i] = (uint8_t)(block >> (24 - 8 * i));
        }
        hmac(u, key, password_length, salt, salt_length + 4);
        memcpy(t, u, bytes);
        for (uint64_t round = 1; round < iterations; round++) {
            hmac(u, key, password_length, u, bytes);
            for (uint32_t i = 0; i < bytes; i++) {
                t[i] ^= u[i];
            }
        }
        size_t n = out_length < bytes ? out_length : bytes;
        memcpy(out, t, n);
        out += n;
        out_length -= n;
    }
}

/* A copy with room for the block number. */
static uint8_t *salted(const Py_buffer *salt) {
    uint8_t *copy = PyMem_Malloc((size_t)salt->len + 4);
    if (copy == NULL) {
        PyErr_NoMemory();
        return NULL;
    }
    memcpy(copy, salt->buf, (size_t)salt->len);
    return copy;
}

PyObject *hash_pbkdf2_hmac(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"hash_name", "password", "salt", "iterations", "dklen", NULL};
    const char *name;
    Py_buffer password, salt;
    long long iterations;
    PyObject *length_object = Py_None, *result = NULL;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "sy*y*L|O:pbkdf2_hmac", names, &name, &password, &salt, &iterations,
                                     &length_object)) {
        return NULL;
    }
    size_t which = 0;
    while (which < Py_ARRAY_LENGTH(HASHES) && strcmp(HASHES[which].name, name) != 0) {
        which++;
    }
    if (which == Py_ARRAY_LENGTH(HASHES)) {
        PyErr_Format(PyExc_ValueError, "unsupported hash type %s", name);
        goto done;
    }
    if (iterations < 1) {
        PyErr_SetString(PyExc_ValueError, "iteration value must be greater than 0.");
        goto done;
    }
    Py_ssize_t length = HASHES[which].bytes;
    if (length_object != Py_None) {
        length = PyLong_AsSsize_t(length_object);
        if (length == -1 && PyErr_Occurred()) {
            goto done;
        }
        if (length < 1) {
            PyErr_SetString(PyExc_ValueError, "key length must be greater than 0.");
            goto done;
        }
    }
    uint8_t *copy = salted(&salt);
    if (copy == NULL) {
        goto done;
    }
    result = PyBytes_FromStringAndSize(NULL, length);
    if (result != NULL) {
        pbkdf2(HASHES[which].hmac, HASHES[which].bytes, password.buf, (uint32_t)password.len, copy, (uint32_t)salt.len,
               (uint64_t)iterations, (uint8_t *)PyBytes_AS_STRING(result), (size_t)length);
    }
    PyMem_Free(copy);
done:
    PyBuffer_Release(&password);
    PyBuffer_Release(&salt);
    return result;
}

static inline uint32_t rotate(uint32_t x, int n) { return x << n | x >> (32 - n); }

/* RFC 7914, section 3. */
static void salsa20_8(uint32_t b[16]) {
    uint32_t x[16];
    memcpy(x, b, sizeof x);
#define QUARTER(a, c, d, e)                                                                                            \
    x[c] ^= rotate(x[a] + x[e], 7);                                                                                    \
    x[d] ^= rotate(x[c] + x[a], 9);                                                                                    \
    x[e] ^= rotate(x[d] + x[c], 13);                                                                                   \
    x[a] ^= rotate(x[e] + x[d], 18)
    for (int i = 0; i < 4; i++) {
        QUARTER(0, 4, 8, 12);
        QUARTER(5, 9, 13, 1);
        QUARTER(10, 14, 2, 6);
        QUARTER(15, 3, 7, 11);
        QUARTER(0, 1, 2, 3);
        QUARTER(5, 6, 7, 4);
        QUARTER(10, 11, 8, 9);
        QUARTER(15, 12, 13, 14);
    }
    for (int i = 0; i < 16; i++) {
        b[i] += x[i];
    }
}

/* Section 4: mixes the 2r blocks of `b`, with `y` as scratch of the same size. */
static void block_mix(uint32_t *b, uint32_t *y, size_t r) {
    uint32_t x[16];
    memcpy(x, b + (2 * r - 1) * 16, sizeof x);
    for (size_t i = 0; i < 2 * r; i++) {
        for (int j = 0; j < 16; j++) {
            x[j] ^= b[i * 16 + j];
        }
        salsa20_8(x);
        memcpy(y + ((i & 1) * r + i / 2) * 16, x, sizeof x);
    }
    memcpy(b, y, 2 * r * 64);
}

PyObject *hash_scrypt(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"password", "salt", "n", "r", "p", "maxmem", "dklen", NULL};
    Py_buffer password, salt;
    unsigned long long n, r, p;
    long long memory_max = 0, length = 64;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "y*|$y*KKKLL:scrypt", names, &password, &salt, &n, &r, &p,
                                     &memory_max, &length)) {
        return NULL;
    }
    PyObject *result = NULL;
    uint8_t *copy = NULL, *b = NULL;
    uint32_t *v = NULL;
    if (n < 2 || (n & (n - 1)) != 0) {
        PyErr_SetString(PyExc_ValueError, "n must be a power of 2.");
        goto done;
    }
    if (length < 1 || r < 1 || p < 1 || r > (1 << 20) || p > (1 << 20)) {
        PyErr_SetString(PyExc_ValueError, "dklen, r and p must be greater than 0 and not too large.");
        goto done;
    }
    unsigned long long limit = memory_max > 0 ? (unsigned long long)memory_max : 32ull << 20;
    unsigned long long need = 128 * r * p + 32 * r * (n + 2) * 4;
    if (n > 1ull << 32 || need > limit || need > INT32_MAX) {
        PyErr_SetString(PyExc_ValueError, "Invalid parameter combination for n, r, p, maxmem.");
        goto done;
    }
    size_t block = 128 * (size_t)r;
    copy = salted(&salt);
    b = PyMem_Malloc(block * (size_t)p + 4); /* pbkdf2 puts a block number behind its salt */
    v = PyMem_Malloc(block * ((size_t)n + 1));
    if (copy == NULL || b == NULL || v == NULL) {
        PyErr_NoMemory();
        goto done;
    }
    pbkdf2(Hacl_HMAC_compute_sha2_256, 32, password.buf, (uint32_t)password.len, copy, (uint32_t)salt.len, 1, b,
           block * (size_t)p);
    uint32_t *scratch = v + (size_t)n * block / 4;
    for (size_t i = 0; i < p; i++) {
        uint32_t *x = (uint32_t *)(b + i * block);
        for (size_t j = 0; j < n; j++) {
            memcpy(v + j * block / 4, x, block);
            block_mix(x, scratch, (size_t)r);
        }
        for (size_t j = 0; j < n; j++) {
            size_t k = x[(2 * r - 1) * 16] & (n - 1);
            for (size_t w = 0; w < block / 4; w++) {
                x[w] ^= v[k * block / 4 + w];
            }
            block_mix(x, scratch, (size_t)r);
        }
    }
    result = PyBytes_FromStringAndSize(NULL, (Py_ssize_t)length);
    if (result != NULL) {
        pbkdf2(Hacl_HMAC_compute_sha2_256, 32, password.buf, (uint32_t)password.len, b, (uint32_t)(block * p), 1,
               (uint8_t *)PyBytes_AS_STRING(result), (size_t)length);
    }
done:
    PyMem_Free(copy);
    PyMem_Free(b);
    PyMem_Free(v);
    PyBuffer_Release(&password);
    PyBuffer_Release(&salt);
    return result;
}
