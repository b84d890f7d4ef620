#include <errno.h>
#include <stddef.h>
#include <string.h>
#include "locale_impl.h"

/* glibc's messages, so that printed errors equal those of Python on Linux. */
char *__strerror_l(int number, locale_t locale) {
    (void)locale;
    switch (number) {
    case 0: return "Success";
#define ERROR(value, message) case value: return message;
#include "errno_messages.h"
#undef ERROR
    }
    static char unknown[32] = "Unknown error ";
    char digits[12];
    int n = 0, length = 14;
    unsigned rest = number < 0 ? 0u - (unsigned)number : (unsigned)number;
    do {
        digits[n++] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest);
    if (number < 0) {
        unknown[length++] = '-';
    }
    while (n) {
        unknown[length++] = digits[--n];
    }
    unknown[length] = 0;
    return unknown;
}

char *strerror(int number) { return __strerror_l(number, CURRENT_LOCALE); }

weak_alias(__strerror_l, strerror_l);
