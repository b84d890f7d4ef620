/* Places where zig's libc does not do what a Linux program expects. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>
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

static ssize_t failed(__wasi_errno_t error) {
    errno = error;
    return -1;
}

/* ---- reading and writing ----
 *
 * The host moves this much in one call, so that it can stop a job between two. Linux moves all that is asked for as long as
 * nothing has to be waited for, and programs rely on it. */
#define CALL_BYTES ((size_t)1 << 20)

typedef __wasi_errno_t move(int fd, void *bytes, size_t length, off_t offset, size_t *moved);

static __wasi_errno_t move_read(int fd, void *bytes, size_t length, off_t offset, size_t *moved) {
    __wasi_iovec_t part = {bytes, length};
    return __wasi_fd_read(fd, &part, 1, moved);
}

static __wasi_errno_t move_pread(int fd, void *bytes, size_t length, off_t offset, size_t *moved) {
    __wasi_iovec_t part = {bytes, length};
    return __wasi_fd_pread(fd, &part, 1, offset, moved);
}

static __wasi_errno_t move_write(int fd, void *bytes, size_t length, off_t offset, size_t *moved) {
    __wasi_ciovec_t part = {bytes, length};
    return __wasi_fd_write(fd, &part, 1, moved);
}

static __wasi_errno_t move_pwrite(int fd, void *bytes, size_t length, off_t offset, size_t *moved) {
    __wasi_ciovec_t part = {bytes, length};
    return __wasi_fd_pwrite(fd, &part, 1, offset, moved);
}

/* Moves all, or what can be moved at once. */
static ssize_t move_all(move *move, int fd, void *bytes, size_t length, off_t offset) {
    size_t done = 0, moved;
    do {
        __wasi_errno_t error = move(fd, (char *)bytes + done, length - done, offset + (off_t)done, &moved);
        if (error != 0) {
            return done > 0 ? (ssize_t)done : failed(error);
        }
        done += moved;
    } while (moved >= CALL_BYTES && done < length);
    return (ssize_t)done;
}

/* As much as Linux moves in one call. */
#define MOVED_MAX 0x7ffff000

/* The same for several pieces of memory. */
static ssize_t move_parts(move *move, int fd, const struct iovec *parts, int count, off_t offset) {
    if (count < 0 || count > IOV_MAX) {
        return failed(EINVAL);
    }
    int is_empty = 1;
    for (int i = 0; i < count; i++) {
        is_empty &= parts[i].iov_len == 0;
    }
    if (count == 0) {
        return move_all(move, fd, NULL, 0, offset);
    }
    ssize_t done = 0;
    for (int i = 0; i < count && done < MOVED_MAX; i++) {
        /* A first, empty part is moved for the errors that come of it. */
        if (parts[i].iov_len == 0 && !(is_empty && i == 0)) {
            continue;
        }
        size_t room = MOVED_MAX - (size_t)done;
        size_t length = parts[i].iov_len < room ? parts[i].iov_len : room;
        ssize_t moved = move_all(move, fd, parts[i].iov_base, length, offset + done);
        if (moved < 0) {
            return done > 0 ? done : -1;
        }
        done += moved;
        if ((size_t)moved < parts[i].iov_len) {
            break;
        }
    }
    return done;
}

ssize_t read(int fd, void *bytes, size_t length) { return move_all(move_read, fd, bytes, length, 0); }

ssize_t write(int fd, const void *bytes, size_t length) { return move_all(move_write, fd, (void *)bytes, length, 0); }

ssize_t pread(int fd, void *bytes, size_t length, off_t offset) {
    return offset < 0 ? failed(EINVAL) : move_all(move_pread, fd, bytes, length, offset);
}

ssize_t pwrite(int fd, const void *bytes, size_t length, off_t offset) {
    return offset < 0 ? failed(EINVAL) : move_all(move_pwrite, fd, (void *)bytes, length, offset);
}

ssize_t readv(int fd, const struct iovec *parts, int count) { return move_parts(move_read, fd, parts, count, 0); }

ssize_t writev(int fd, const struct iovec *parts, int count) { return move_parts(move_write, fd, parts, count, 0); }

ssize_t preadv(int fd, const struct iovec *parts, int count, off_t offset) {
    return offset < 0 ? failed(EINVAL) : move_parts(move_pread, fd, parts, count, offset);
}

ssize_t pwritev(int fd, const struct iovec *parts, int count, off_t offset) {
    return offset < 0 ? failed(EINVAL) : move_parts(move_pwrite, fd, parts, count, offset);
}

/* ---- positions ---- */

/* Linux's numbers, which wasi-libc does not have. The host ends a program that gives it any other than WASI's three. */
enum { LINUX_SEEK_DATA = 3, LINUX_SEEK_HOLE = 4 };

#undef lseek /* a macro where the position is only asked for */
off_t lseek(int fd, off_t offset, int whence) {
    if (whence == LINUX_SEEK_DATA || whence == LINUX_SEEK_HOLE) {
        /* As in a file system that knows of no holes but the one at the end. */
        struct stat stat;
        if (fstat(fd, &stat) != 0) {
            return -1;
        }
        if (offset < 0 || offset >= stat.st_size) {
            return failed(ENXIO);
        }
        offset = whence == LINUX_SEEK_DATA ? offset : stat.st_size;
        whence = SEEK_SET;
    }
    if (whence != SEEK_SET && whence != SEEK_CUR && whence != SEEK_END) {
        struct stat stat;
        return fstat(fd, &stat) != 0 ? -1 : failed(EINVAL);
    }
    __wasi_filesize_t position;
    __wasi_errno_t error = __wasi_fd_seek(fd, offset, (__wasi_whence_t)whence, &position);
    return error != 0 ? failed(error) : (off_t)position;
}

/* ---- descriptors ---- */

__attribute__((import_module("pyexec"), import_name("dup"))) int32_t host_dup(int32_t fd, int32_t to);

int dup(int fd) {
    int32_t made = host_dup(fd, -1);
    return made < 0 ? (int)failed((__wasi_errno_t)-made) : made;
}

/* Linux's numbers, which wasi-libc does not have. */
enum { DUPFD = 0, GETLK = 5, SETLK = 6, SETLKW = 7, DUPFD_CLOEXEC = 1030, UNLCK = 2 };

int fcntl(int fd, int command, ...) {
    va_list arguments;
    va_start(arguments, command);
    __wasi_fdstat_t stat;
    __wasi_errno_t error = __wasi_fd_fdstat_get(fd, &stat);
    int result = 0;
    if (error != 0) {
        result = (int)failed(error);
    } else {
        switch (command) {
        case DUPFD:
        case DUPFD_CLOEXEC:
            result = dup(fd);
            break;
        case F_GETFD: /* there is no exec, so nothing else can be seen */
            result = FD_CLOEXEC;
            break;
        case F_SETFD:
            break;
        case F_GETFL: {
            int reads = (stat.fs_rights_base & (__WASI_RIGHTS_FD_READ | __WASI_RIGHTS_FD_READDIR)) != 0;
            int writes = (stat.fs_rights_base & __WASI_RIGHTS_FD_WRITE) != 0;
            result = stat.fs_flags | (reads ? O_RDONLY : 0) | (writes ? O_WRONLY : 0);
            break;
        }
        case F_SETFL:
            error = __wasi_fd_fdstat_set_flags(fd, (__wasi_fdflags_t)(va_arg(arguments, int) & 0x1f));
            result = error == 0 ? 0 : (int)failed(error);
            break;
        case GETLK: /* a process's own locks are never in its way, and there is no other process */
            va_arg(arguments, struct flock *)->l_type = UNLCK;
            break;
        case SETLK:
        case SETLKW:
            break;
        default:
            result = (int)failed(EINVAL);
        }
    }
    va_end(arguments);
    return result;
}

/* ---- memory ----
 *
 * For SQLite alone, which shares the index of a write-ahead log with its other connections: all in this process, so that one
 * piece of memory serves them, and nothing needs to be written to the file. */
void *mmap(void *address, size_t length, int protection, int flags, int fd, off_t offset) {
    void *memory = calloc(1, length);
    if (memory == NULL || pread(fd, memory, length, offset) < 0) {
        free(memory);
        return (void *)-1;
    }
    return memory;
}

int munmap(void *address, size_t length) {
    free(address);
    return 0;
}

/* ---- libraries ---- */

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
