/* Places where zig's libc does not do what a Linux program expects. */
#include <errno.h>
#include <string.h>
#include <stdlib.h>
#include <wasi/api.h>

/* zig's close() stores WASI's errno number; every other call goes through the translation in wasi-libc. */
int close(int fd) {
    __wasi_errno_t error = __wasi_fd_close((__wasi_fd_t)fd);
    if (error != 0) {
        errno = error;
        return -1;
    }
    return 0;
}

/* As a shell reports a process that died of SIGABRT. */
_Noreturn void abort(void) { __wasi_proc_exit(134); }

/* glibc's messages, so that printed errors equal those of Python on Linux. */
char *strerror(int number) {
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

/* There are no shared libraries. ctypes opens the program itself at import, so that one handle exists and is empty. */
static char dl_error[160];
static int dl_failed;

void *dlopen(const char *path, int mode) {
    (void)mode;
    if (path == NULL) {
        return dl_error;
    }
    size_t length = strnlen(path, sizeof dl_error - 80);
    memcpy(dl_error, path, length);
    strcpy(dl_error + length, ": cannot open shared object file: No such file or directory");
    dl_failed = 1;
    return NULL;
}

void *dlsym(void *handle, const char *name) {
    (void)handle;
    static const char prefix[] = "undefined symbol: ";
    size_t length = strnlen(name, 100);
    memcpy(dl_error, prefix, sizeof prefix - 1);
    memcpy(dl_error + sizeof prefix - 1, name, length);
    dl_error[sizeof prefix - 1 + length] = 0;
    dl_failed = 1;
    return NULL;
}

int dlclose(void *handle) {
    (void)handle;
    return 0;
}

char *dlerror(void) {
    char *error = dl_failed ? dl_error : NULL;
    dl_failed = 0;
    return error;
}
