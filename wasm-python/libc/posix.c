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
