/* See ffi.h. A call through a mismatched signature is a WebAssembly trap, which ends the job and nothing else. */
#include <ffi.h>
#include <stdlib.h>
#include <string.h>

#define TYPE(name, ctype, kind) ffi_type ffi_type_##name = {sizeof(ctype), _Alignof(ctype), kind, NULL}

ffi_type ffi_type_void = {1, 1, FFI_TYPE_VOID, NULL};
TYPE(uint8, uint8_t, FFI_TYPE_UINT8);
TYPE(sint8, int8_t, FFI_TYPE_SINT8);
TYPE(uint16, uint16_t, FFI_TYPE_UINT16);
TYPE(sint16, int16_t, FFI_TYPE_SINT16);
TYPE(uint32, uint32_t, FFI_TYPE_UINT32);
TYPE(sint32, int32_t, FFI_TYPE_SINT32);
TYPE(uint64, uint64_t, FFI_TYPE_UINT64);
TYPE(sint64, int64_t, FFI_TYPE_SINT64);
TYPE(float, float, FFI_TYPE_FLOAT);
TYPE(double, double, FFI_TYPE_DOUBLE);
TYPE(longdouble, long double, FFI_TYPE_LONGDOUBLE);
ffi_type ffi_type_pointer = {8, 8, FFI_TYPE_POINTER, NULL};

#define ARGUMENTS_MAX 3

static int is_wide(const ffi_type *t) { return t->type == FFI_TYPE_UINT64 || t->type == FFI_TYPE_SINT64; }

static int is_word(const ffi_type *t) {
    return t->type == FFI_TYPE_POINTER || t->type == FFI_TYPE_INT || t->type == FFI_TYPE_UINT32 ||
           t->type == FFI_TYPE_SINT32;
}

/* Whether a function of this module with such a signature can be called. */
static int is_callable(const ffi_cif *cif) {
    int fits = cif->nargs <= ARGUMENTS_MAX && (cif->rtype->type == FFI_TYPE_VOID || is_word(cif->rtype));
    for (unsigned i = 0; fits && i < cif->nargs; i++) {
        fits = is_word(cif->arg_types[i]) || is_wide(cif->arg_types[i]);
    }
    return fits;
}

ffi_status ffi_prep_cif(ffi_cif *cif, ffi_abi abi, unsigned nargs, ffi_type *rtype, ffi_type **arg_types) {
    *cif = (ffi_cif){abi, nargs, arg_types, rtype};
    return FFI_OK;
}

/* Closures would need code made at run time, which WebAssembly has not: no function of this module can call one. ctypes
 * can, since it calls through here. */
struct closure {
    ffi_closure closure;
    struct closure *next;
};

static struct closure *closures;

static ffi_closure *closure_at(void *address) {
    for (struct closure *found = closures; found != NULL; found = found->next) {
        if (found == address) {
            return &found->closure;
        }
    }
    return NULL;
}

void ffi_call(ffi_cif *cif, void (*fn)(void), void *result, void **arguments) {
    typedef uint32_t word;
    typedef uint64_t wide;
    ffi_closure *closure = closure_at((void *)fn);
    if (closure != NULL) {
        closure->fun(closure->cif, result, arguments, closure->user_data);
        return;
    }
    if (!is_callable(cif)) {
        abort();
    }
    wide a[ARGUMENTS_MAX] = {0}, r = 0;
    /* One digit for each argument, the last one first: 1 for a word, 2 for a wide one. */
    unsigned signature = 0;
    for (unsigned i = cif->nargs; i-- > 0;) {
        int is = is_wide(cif->arg_types[i]);
        memcpy(&a[i], arguments[i], is ? sizeof(wide) : sizeof(word));
        signature = signature * 10 + (is ? 2 : 1);
    }
    int returns = cif->rtype->type != FFI_TYPE_VOID;
#define CALL(n, types, ...)                                                                                            \
    case n:                                                                                                            \
        if (returns) {                                                                                                 \
            r = ((word(*) types)fn)(__VA_ARGS__);                                                                      \
        } else {                                                                                                       \
            ((void (*) types)fn)(__VA_ARGS__);                                                                         \
        }                                                                                                              \
        break
    switch (signature) {
        CALL(0, (void), );
        CALL(1, (word), (word)a[0]);
        CALL(2, (wide), a[0]);
        CALL(11, (word, word), (word)a[0], (word)a[1]);
        CALL(21, (word, wide), (word)a[0], a[1]);
        CALL(12, (wide, word), a[0], (word)a[1]);
        CALL(22, (wide, wide), a[0], a[1]);
        CALL(111, (word, word, word), (word)a[0], (word)a[1], (word)a[2]);
        CALL(211, (word, word, wide), (word)a[0], (word)a[1], a[2]);
        CALL(121, (word, wide, word), (word)a[0], a[1], (word)a[2]);
        CALL(221, (word, wide, wide), (word)a[0], a[1], a[2]);
        CALL(112, (wide, word, word), a[0], (word)a[1], (word)a[2]);
        CALL(212, (wide, word, wide), a[0], (word)a[1], a[2]);
        CALL(122, (wide, wide, word), a[0], a[1], (word)a[2]);
        CALL(222, (wide, wide, wide), a[0], a[1], a[2]);
    }
    if (returns && result != NULL) {
        memcpy(result, &r, cif->rtype->size);
    }
}

void *ffi_closure_alloc(size_t size, void **code) {
    struct closure *made = calloc(1, sizeof *made);
    if (made == NULL || size > sizeof made->closure) {
        free(made);
        return NULL;
    }
    made->next = closures;
    closures = made;
    *code = made;
    return made;
}

void ffi_closure_free(void *block) {
    for (struct closure **found = &closures; *found != NULL; found = &(*found)->next) {
        if (*found == block) {
            *found = (*found)->next;
            break;
        }
    }
    free(block);
}

ffi_status ffi_prep_closure_loc(ffi_closure *closure, ffi_cif *cif, void (*fun)(ffi_cif *, void *, void **, void *),
                                void *user_data, void *code) {
    (void)code;
    *closure = (ffi_closure){cif, fun, user_data};
    return FFI_OK;
}

ffi_status ffi_prep_closure(ffi_closure *closure, ffi_cif *cif, void (*fun)(ffi_cif *, void *, void **, void *),
                            void *user_data) {
    return ffi_prep_closure_loc(closure, cif, fun, user_data, closure);
}
