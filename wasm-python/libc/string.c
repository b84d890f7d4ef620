/* The memory and string functions CPython spends its time in, with SIMD128.
 *
 * zig's own libc walks these byte by byte, which made compile() six times slower than native. Linked ahead of libc, so
 * these definitions win. Aligned 16-byte loads never leave the 64 KiB page their first byte is in, so reading up to 15
 * bytes before or after a string is safe. */
#include <stddef.h>
#include <stdint.h>
#include <wasm_simd128.h>

/* Above this size the memory.copy and memory.fill instructions (a call into the engine) beat a loop. */
#define BULK 1024

static inline void copy_bulk(unsigned char *d, const unsigned char *s, size_t n) {
    __asm__ volatile("local.get %0\n\tlocal.get %1\n\tlocal.get %2\n\tmemory.copy 0, 0"
                     :: "r"(d), "r"(s), "r"(n) : "memory");
}

static inline uintptr_t aligned_down(const void *p) { return (uintptr_t)p & ~(uintptr_t)15; }

static inline uint32_t mask_from(const void *p) { return 0xffffu << ((uintptr_t)p & 15); }

static inline uint32_t zeros(v128_t v) { return wasm_i8x16_bitmask(wasm_i8x16_eq(v, wasm_i8x16_splat(0))); }

static inline uint32_t equals(v128_t v, v128_t c) { return wasm_i8x16_bitmask(wasm_i8x16_eq(v, c)); }

typedef uint64_t __attribute__((aligned(1), may_alias)) word64;
typedef uint32_t __attribute__((aligned(1), may_alias)) word32;

/* At most 16 bytes. Loads everything before it stores, so that they may overlap. */
static inline void copy_small(unsigned char *d, const unsigned char *s, size_t n) {
    if (n >= 8) {
        uint64_t a = *(const word64 *)s, b = *(const word64 *)(s + n - 8);
        *(word64 *)d = a;
        *(word64 *)(d + n - 8) = b;
    } else if (n >= 4) {
        uint32_t a = *(const word32 *)s, b = *(const word32 *)(s + n - 4);
        *(word32 *)d = a;
        *(word32 *)(d + n - 4) = b;
    } else if (n) {
        unsigned char a = s[0], b = s[n / 2], c = s[n - 1];
        d[0] = a;
        d[n / 2] = b;
        d[n - 1] = c;
    }
}

void *memcpy(void *restrict dst, const void *restrict src, size_t n) {
    unsigned char *d = dst;
    const unsigned char *s = src;
    if (n <= 16) {
        copy_small(d, s, n);
        return dst;
    }
    if (n >= BULK) {
        copy_bulk(d, s, n);
        return dst;
    }
    v128_t tail = wasm_v128_load(s + n - 16);
    unsigned char *end = d + n - 16;
    while (d < end) {
        wasm_v128_store(d, wasm_v128_load(s));
        d += 16;
        s += 16;
    }
    wasm_v128_store(end, tail);
    return dst;
}

void *memmove(void *dst, const void *src, size_t n) {
    unsigned char *d = dst;
    const unsigned char *s = src;
    if (n <= 16) {
        copy_small(d, s, n);
        return dst;
    }
    if (n >= BULK) {
        copy_bulk(d, s, n);
        return dst;
    }
    if ((uintptr_t)d - (uintptr_t)s >= n) {
        v128_t tail = wasm_v128_load(s + n - 16);
        unsigned char *end = d + n - 16;
        while (d < end) {
            v128_t v = wasm_v128_load(s);
            wasm_v128_store(d, v);
            d += 16;
            s += 16;
        }
        wasm_v128_store(end, tail);
    } else {
        v128_t head = wasm_v128_load(s);
        size_t i = n;
        while (i > 16) {
            i -= 16;
            v128_t v = wasm_v128_load(s + i);
            wasm_v128_store(d + i, v);
        }
        wasm_v128_store(d, head);
    }
    return dst;
}

void *memset(void *dst, int c, size_t n) {
    unsigned char *d = dst;
    if (n < 16) {
        for (size_t i = 0; i < n; i++) {
            ((volatile unsigned char *)d)[i] = (unsigned char)c;
        }
        return dst;
    }
    if (n >= BULK) {
        __asm__ volatile("local.get %0\n\tlocal.get %1\n\tlocal.get %2\n\tmemory.fill 0"
                         :: "r"(d), "r"(c), "r"(n) : "memory");
        return dst;
    }
    v128_t v = wasm_i8x16_splat((char)c);
    unsigned char *end = d + n - 16;
    while (d < end) {
        wasm_v128_store(d, v);
        d += 16;
    }
    wasm_v128_store(end, v);
    return dst;
}

int memcmp(const void *a, const void *b, size_t n) {
    const unsigned char *x = a, *y = b;
    while (n >= 16) {
        uint32_t differ = equals(wasm_v128_load(x), wasm_v128_load(y)) ^ 0xffff;
        if (differ) {
            int i = __builtin_ctz(differ);
            return x[i] - y[i];
        }
        x += 16;
        y += 16;
        n -= 16;
    }
    for (; n; n--, x++, y++) {
        if (*x != *y) {
            return *x - *y;
        }
    }
    return 0;
}

void *memchr(const void *src, int c, size_t n) {
    if (n == 0) {
        return NULL;
    }
    const unsigned char *s = src;
    const unsigned char *last = s + n - 1;
    if (last < s) {
        last = (const unsigned char *)UINTPTR_MAX;
    }
    v128_t needle = wasm_i8x16_splat((char)c);
    uintptr_t block = aligned_down(s);
    uint32_t hits = equals(wasm_v128_load((const void *)block), needle) & mask_from(s);
    for (;;) {
        if (hits) {
            const unsigned char *at = (const unsigned char *)block + __builtin_ctz(hits);
            return at <= last ? (void *)at : NULL;
        }
        if (aligned_down(last) == block) {
            return NULL;
        }
        block += 16;
        hits = equals(wasm_v128_load((const void *)block), needle);
    }
}

void *memrchr(const void *src, int c, size_t n) {
    const unsigned char *s = src;
    v128_t needle = wasm_i8x16_splat((char)c);
    while (n >= 16) {
        uint32_t hits = equals(wasm_v128_load(s + n - 16), needle);
        if (hits) {
            return (void *)(s + n - 16 + (31 - __builtin_clz(hits)));
        }
        n -= 16;
    }
    while (n) {
        if (s[--n] == (unsigned char)c) {
            return (void *)(s + n);
        }
    }
    return NULL;
}

size_t strlen(const char *s) {
    uintptr_t block = aligned_down(s);
    uint32_t hits = zeros(wasm_v128_load((const void *)block)) & mask_from(s);
    while (!hits) {
        block += 16;
        hits = zeros(wasm_v128_load((const void *)block));
    }
    return block + (uintptr_t)__builtin_ctz(hits) - (uintptr_t)s;
}

size_t strnlen(const char *s, size_t n) {
    const char *end = memchr(s, 0, n);
    return end ? (size_t)(end - s) : n;
}

char *strchrnul(const char *s, int c) {
    v128_t needle = wasm_i8x16_splat((char)c);
    uintptr_t block = aligned_down(s);
    v128_t v = wasm_v128_load((const void *)block);
    uint32_t hits = (equals(v, needle) | zeros(v)) & mask_from(s);
    while (!hits) {
        block += 16;
        v = wasm_v128_load((const void *)block);
        hits = equals(v, needle) | zeros(v);
    }
    return (char *)block + __builtin_ctz(hits);
}

char *strchr(const char *s, int c) {
    char *at = strchrnul(s, c);
    return *(unsigned char *)at == (unsigned char)c ? at : NULL;
}

char *strrchr(const char *s, int c) { return memrchr(s, c, strlen(s) + 1); }

int strcmp(const char *a, const char *b) {
    const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;
    while (*x && *x == *y) {
        x++;
        y++;
    }
    return *x - *y;
}

int strncmp(const char *a, const char *b, size_t n) {
    const unsigned char *x = (const unsigned char *)a, *y = (const unsigned char *)b;
    while (n && *x && *x == *y) {
        x++;
        y++;
        n--;
    }
    return n ? *x - *y : 0;
}

char *strcpy(char *restrict d, const char *restrict s) { return memcpy(d, s, strlen(s) + 1); }

char *strncpy(char *restrict d, const char *restrict s, size_t n) {
    size_t len = strnlen(s, n);
    memcpy(d, s, len);
    memset(d + len, 0, n - len);
    return d;
}
