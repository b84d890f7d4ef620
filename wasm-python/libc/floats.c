/* Functions of mathematics whose results differ between C libraries in the last digit. The host's own answer: results are
 * then those of Python outside, on the same machine. What is exact stays in the guest. errno is set as
 * glibc sets it; Python's complex numbers look at it. */
#include <errno.h>

#define IS_FINITE(x) (__builtin_fabs(x) < __builtin_inf())

/* A result that is no number, or infinite. */
static __attribute__((noinline)) double not_finite(double result, double x, double y) {
    if (result != result) {
        if (x == x && y == y) {
            errno = EDOM;
        }
    } else if (IS_FINITE(x) && IS_FINITE(y)) {
        errno = ERANGE;
    }
    return result;
}

/* What is between zero and the smallest number is a result of zero, and an error. */
static __attribute__((noinline)) double too_small(double result) {
    errno = ERANGE;
    return result;
}

#define IMPORT(name) __attribute__((import_module("libm"), import_name(#name)))

#define UNARY(name, is_too_small)                                                                                      \
    IMPORT(name) double host_##name(double x);                                                                         \
    double name(double x) {                                                                                            \
        double result = host_##name(x);                                                                                \
        if (!IS_FINITE(result)) {                                                                                      \
            return not_finite(result, x, 0);                                                                           \
        }                                                                                                              \
        return (is_too_small) ? too_small(result) : result;                                                            \
    }
#define BINARY(name, is_too_small)                                                                                     \
    IMPORT(name) double host_##name(double x, double y);                                                               \
    double name(double x, double y) {                                                                                  \
        double result = host_##name(x, y);                                                                             \
        if (!IS_FINITE(result)) {                                                                                      \
            return not_finite(result, x, y);                                                                           \
        }                                                                                                              \
        return (is_too_small) ? too_small(result) : result;                                                            \
    }

/* Exact anywhere but in zig's own, which loses the sign of a result too small for a number. */
IMPORT(fma) double host_fma(double x, double y, double z);
double fma(double x, double y, double z) { return host_fma(x, y, z); }

UNARY(acos, 0)
UNARY(acosh, 0)
UNARY(asin, 0)
UNARY(asinh, 0)
UNARY(atan, 0)
UNARY(atanh, 0)
UNARY(cbrt, 0)
UNARY(cos, 0)
UNARY(cosh, 0)
UNARY(erf, 0)
UNARY(erfc, result == 0 && IS_FINITE(x))
UNARY(exp, result == 0 && IS_FINITE(x))
UNARY(exp2, result == 0 && IS_FINITE(x))
UNARY(expm1, 0)
UNARY(log, 0)
UNARY(log10, 0)
UNARY(log1p, 0)
UNARY(log2, 0)
UNARY(sin, 0)
UNARY(sinh, 0)
UNARY(tan, 0)
UNARY(tanh, 0)
BINARY(atan2, result == 0 && x != 0 && IS_FINITE(y))
BINARY(hypot, 0)
BINARY(pow, result == 0 && x != 0 && IS_FINITE(x) && IS_FINITE(y))
