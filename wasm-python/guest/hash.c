/* What hashlib takes from OpenSSL, over the HACL* code that CPython carries itself and over digest.c: hash functions by
 * any of their names, pbkdf2_hmac and scrypt. */
#include "hash.h"
#include "Hacl_HMAC.h"
#include "Modules/hashlib.h"
#include "digest.h"
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

typedef void hmac_function(uint8_t *out, uint8_t *key, uint32_t key_length, uint8_t *data, uint32_t data_length);

/* A hash function, with the names that OpenSSL knows it by. */
struct algorithm {
    const char *name;      /* that of CPython's constructor, or of a digest in digest.c; matters in case */
    const char *spellings; /* others, in lower case; case does not matter */
    hmac_function *hmac;   /* NULL for those in digest.c and for those without */
    uint32_t bytes;
};

static const struct algorithm ALGORITHMS[] = {
    {"md5", "md5 ssl3-md5 1.2.840.113549.2.5", Hacl_HMAC_compute_md5, 16},
    {"sha1", "sha1 sha-1 ssl3-sha1 1.3.14.3.2.26", Hacl_HMAC_compute_sha1, 20},
    {"sha224", "sha224 sha-224 sha2-224 2.16.840.1.101.3.4.2.4", Hacl_HMAC_compute_sha2_224, 28},
    {"sha256", "sha256 sha-256 sha2-256 2.16.840.1.101.3.4.2.1", Hacl_HMAC_compute_sha2_256, 32},
    {"sha384", "sha384 sha-384 sha2-384 2.16.840.1.101.3.4.2.2", Hacl_HMAC_compute_sha2_384, 48},
    {"sha512", "sha512 sha-512 sha2-512 2.16.840.1.101.3.4.2.3", Hacl_HMAC_compute_sha2_512, 64},
    {"sha3_224", "sha3-224 2.16.840.1.101.3.4.2.7", Hacl_HMAC_compute_sha3_224, 28},
    {"sha3_256", "sha3-256 2.16.840.1.101.3.4.2.8", Hacl_HMAC_compute_sha3_256, 32},
    {"sha3_384", "sha3-384 2.16.840.1.101.3.4.2.9", Hacl_HMAC_compute_sha3_384, 48},
    {"sha3_512", "sha3-512 2.16.840.1.101.3.4.2.10", Hacl_HMAC_compute_sha3_512, 64},
    {"shake_128", "shake128 shake-128 2.16.840.1.101.3.4.2.11", NULL, 0},
    {"shake_256", "shake256 shake-256 2.16.840.1.101.3.4.2.12", NULL, 0},
    {"blake2b", "blake2b512 blake2b-512 1.3.6.1.4.1.1722.12.2.1.16", Hacl_HMAC_compute_blake2b_32, 64},
    {"blake2s", "blake2s256 blake2s-256 1.3.6.1.4.1.1722.12.2.2.8", Hacl_HMAC_compute_blake2s_32, 32},
    {"ripemd160", "ripemd160 ripemd-160 ripemd rmd160 1.3.36.3.2.1", NULL, 20},
    {"sm3", "sm3 1.2.156.10197.1.401", NULL, 32},
    {"sha512_224", "sha512-224 sha-512/224 sha2-512/224 2.16.840.1.101.3.4.2.5", NULL, 28},
    {"sha512_256", "sha512-256 sha-512/256 sha2-512/256 2.16.840.1.101.3.4.2.6", NULL, 32},
    {"md5-sha1", "md5-sha1", NULL, 36},
    {"sha256-192", "sha256-192 sha-256/192 sha2-256/192", NULL, 24},
    {"keccak-224", "keccak-224", NULL, 28},
    {"keccak-256", "keccak-256", NULL, 32},
    {"keccak-384", "keccak-384", NULL, 48},
    {"keccak-512", "keccak-512", NULL, 64},
};

/* Whether one of the words of `spellings` is `name`, in any case. */
static int is_spelling(const char *spellings, const char *name) {
    size_t length = strlen(name);
    for (const char *word = spellings; length > 0 && word != NULL; word = strchr(word, ' ')) {
        word += *word == ' ';
        size_t i = 0;
        while (i < length && word[i] == Py_TOLOWER((unsigned char)name[i])) {
            i++;
        }
        if (i == length && (word[i] == ' ' || word[i] == '\0')) {
            return 1;
        }
    }
    return 0;
}

static const struct algorithm *algorithm_named(const char *name) {
    for (size_t i = 0; i < Py_ARRAY_LENGTH(ALGORITHMS); i++) {
        if (strcmp(ALGORITHMS[i].name, name) == 0 ||
            (strchr(name, ' ') == NULL && is_spelling(ALGORITHMS[i].spellings, name))) {
            return &ALGORITHMS[i];
        }
    }
    return NULL;
}

PyObject *hash_name(PyObject *self, PyObject *name) {
    if (!PyUnicode_Check(name)) {
        PyErr_Format(PyExc_TypeError, "new() argument 1 must be str, not %T", name);
        return NULL;
    }
    const char *utf8 = PyUnicode_AsUTF8(name);
    if (utf8 == NULL) {
        PyErr_Clear(); /* no hash function has such a name */
        Py_RETURN_NONE;
    }
    const struct algorithm *known = algorithm_named(utf8);
    return known == NULL ? Py_NewRef(Py_None) : PyUnicode_FromString(known->name);
}

/* ---- hash objects, as CPython makes them with OpenSSL ---- */

struct hash_object {
    PyObject_HEAD
    const struct digest *digest;
    struct digest_state state;
};

static PyTypeObject *hash_type;

static struct hash_object *new_object(const struct digest *digest) {
    struct hash_object *made = PyObject_New(struct hash_object, hash_type);
    if (made != NULL) {
        made->digest = digest;
        digest_init(digest, &made->state);
    }
    return made;
}

static int take(struct hash_object *self, PyObject *data) {
    Py_buffer view;
    GET_BUFFER_VIEW_OR_ERROR(data, &view, return -1);
    digest_update(self->digest, &self->state, view.buf, (size_t)view.len);
    PyBuffer_Release(&view);
    return 0;
}

static PyObject *object_update(struct hash_object *self, PyObject *data) {
    return take(self, data) < 0 ? NULL : Py_NewRef(Py_None);
}

static PyObject *object_digest(struct hash_object *self, PyObject *unused) {
    struct digest_state state = self->state;
    uint8_t out[DIGEST_BYTES_MAX];
    digest_finish(self->digest, &state, out);
    return PyBytes_FromStringAndSize((const char *)out, self->digest->bytes);
}

static PyObject *object_hexdigest(struct hash_object *self, PyObject *unused) {
    PyObject *digest = object_digest(self, NULL);
    PyObject *text = digest == NULL ? NULL : PyObject_CallMethod(digest, "hex", NULL);
    Py_XDECREF(digest);
    return text;
}

static PyObject *object_copy(struct hash_object *self, PyObject *unused) {
    struct hash_object *made = new_object(self->digest);
    if (made != NULL) {
        made->state = self->state;
    }
    return (PyObject *)made;
}

static PyObject *object_name(struct hash_object *self, void *unused) {
    return PyUnicode_FromString(self->digest->python_name);
}

static PyObject *object_digest_size(struct hash_object *self, void *unused) {
    return PyLong_FromUnsignedLong(self->digest->bytes);
}

static PyObject *object_block_size(struct hash_object *self, void *unused) {
    return PyLong_FromUnsignedLong(self->digest->block_bytes);
}

static PyObject *object_repr(struct hash_object *self) {
    return PyUnicode_FromFormat("<%s %T object @ %p>", self->digest->python_name, self, self);
}

static void object_dealloc(PyObject *self) {
    PyTypeObject *type = Py_TYPE(self);
    PyObject_Free(self);
    Py_DECREF(type);
}

static PyMethodDef object_methods[] = {
    {"update", (PyCFunction)object_update, METH_O, "Update this hash object's state with the provided string."},
    {"digest", (PyCFunction)object_digest, METH_NOARGS, "Return the digest value as a bytes object."},
    {"hexdigest", (PyCFunction)object_hexdigest, METH_NOARGS, "Return the digest value as a string of hexadecimal digits."},
    {"copy", (PyCFunction)object_copy, METH_NOARGS, "Return a copy of the hash object."},
    {NULL, NULL, 0, NULL},
};

static PyGetSetDef object_values[] = {
    {"name", (getter)object_name, NULL, "algorithm name.", NULL},
    {"digest_size", (getter)object_digest_size, NULL, NULL, NULL},
    {"block_size", (getter)object_block_size, NULL, NULL, NULL},
    {NULL, NULL, NULL, NULL, NULL},
};

static PyType_Spec object_spec = {
    .name = "_hashlib.HASH",
    .basicsize = sizeof(struct hash_object),
    .flags = Py_TPFLAGS_DEFAULT | Py_TPFLAGS_DISALLOW_INSTANTIATION | Py_TPFLAGS_IMMUTABLETYPE,
    .slots =
        (PyType_Slot[]){
            {Py_tp_dealloc, object_dealloc},
            {Py_tp_repr, object_repr},
            {Py_tp_methods, object_methods},
            {Py_tp_getset, object_values},
            {0, NULL},
        },
};

PyObject *hash_new(PyObject *self, PyObject *args, PyObject *kwargs) {
    static char *names[] = {"name", "data", "usedforsecurity", "string", NULL};
    const char *name;
    PyObject *data = NULL, *string = NULL, *message;
    int for_security;
    if (!PyArg_ParseTupleAndKeywords(args, kwargs, "s|O$pO:new", names, &name, &data, &for_security, &string) ||
        _Py_hashlib_data_argument(&message, data, string) < 0) {
        return NULL;
    }
    const struct digest *digest = digest_named(name);
    if (digest == NULL) {
        PyErr_Format(PyExc_ValueError, "unsupported hash type %s", name);
        return NULL;
    }
    if (hash_type == NULL && (hash_type = (PyTypeObject *)PyType_FromSpec(&object_spec)) == NULL) {
        return NULL;
    }
    struct hash_object *made = new_object(digest);
    if (made != NULL && message != NULL && take(made, message) < 0) {
        Py_CLEAR(made);
    }
    return (PyObject *)made;
}

/* ---- key derivation ---- */

static void hmac(const struct algorithm *algorithm, uint8_t *out, const uint8_t *key, uint32_t key_length,
                 const uint8_t *data, uint32_t length) {
    if (algorithm->hmac != NULL) {
        algorithm->hmac(out, (uint8_t *)key, key_length, (uint8_t *)data, length);
    } else {
        digest_hmac(digest_named(algorithm->name), out, key, key_length, data, length);
    }
}

/* RFC 8018, section 5.2. `salt` has four spare bytes behind it for the block number. */
static void pbkdf2(const struct algorithm *algorithm, const uint8_t *password, uint32_t password_length, uint8_t *salt,
                   uint32_t salt_length, uint64_t iterations, uint8_t *out, size_t out_length) {
    uint8_t u[DIGEST_BYTES_MAX], t[DIGEST_BYTES_MAX];
    uint32_t bytes = algorithm->bytes;
    for (uint32_t block = 1; out_length > 0; block++) {
        for (int i = 0; i < 4; i++) {
            salt[salt_length + i] = (uint8_t)(block >> (24 - 8 * i));
        }
        hmac(algorithm, u, password, password_length, salt, salt_length + 4);
        memcpy(t, u, bytes);
        for (uint64_t round = 1; round < iterations; round++) {
            hmac(algorithm, u, password, password_length, u, bytes);
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
    const struct algorithm *algorithm = algorithm_named(name);
    if (algorithm == NULL) {
        PyErr_Format(PyExc_ValueError, "unsupported hash type %s", name);
        goto done;
    }
    if (iterations < 1) {
        PyErr_SetString(PyExc_ValueError, "iteration value must be greater than 0.");
        goto done;
    }
    Py_ssize_t length = algorithm->bytes;
    if (length_object != Py_None) {
        length = PyLong_AsSsize_t(length_object);
        if (length == -1 && PyErr_Occurred()) {
            goto done;
        }
    }
    if (length < 1 || algorithm->bytes == 0) {
        PyErr_SetString(PyExc_ValueError, "key length must be greater than 0.");
        goto done;
    }
    uint8_t *copy = salted(&salt);
    if (copy == NULL) {
        goto done;
    }
    result = PyBytes_FromStringAndSize(NULL, length);
    if (result != NULL) {
        pbkdf2(algorithm, password.buf, (uint32_t)password.len, copy, (uint32_t)salt.len,
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
    const struct algorithm *sha256 = algorithm_named("sha256");
    pbkdf2(sha256, password.buf, (uint32_t)password.len, copy, (uint32_t)salt.len, 1, b,
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
        pbkdf2(sha256, password.buf, (uint32_t)password.len, b, (uint32_t)(block * p), 1,
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
