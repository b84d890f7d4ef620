/* What the host offers besides WASI. Lengths are in bytes, text is UTF-8. */
#ifndef PYEXEC_HOST_H
#define PYEXEC_HOST_H

#include <stddef.h>
#include <stdint.h>

#define HOST(name) __attribute__((import_module("pyexec"), import_name(name)))

enum report {
    REPORT_RESULT = 1,      /* repr of the last expression, or of what the called function returned */
    REPORT_RESULT_JSON = 2, /* the same as JSON, when it is JSON-able */
    REPORT_ERROR_TYPE = 3,  /* class name of the uncaught exception */
    REPORT_ERROR_MESSAGE = 4,
    REPORT_ERROR_LINE = 5,  /* decimal; the script's outermost line */
    REPORT_MISS = 6,        /* "kind: detail" of something that only a full Linux has */
    REPORT_MISS_FATAL = 7,  /* the uncaught exception is, or was caused by, such a miss */
    REPORT_BAKED = 8,       /* name of a module that was imported for good */
    REPORT_UNFIT = 9,       /* "module: why" of one that was not */
    REPORT_VARIABLE = 10,   /* an environment variable that those modules asked for; "*" for all */
    REPORT_ERROR_FRAMES = 11, /* of the job's code, the innermost last: file, line and function of each, NUL between all */
    REPORT_DISPLAY = 12,    /* something shown: JSON, an object of texts by MIME type */
};

/* Tells the host something about the job. */
HOST("report") void host_report(enum report kind, const char *text, size_t length);

/* Looks for what an import finds at a path below /usr that has no suffix: -1 when there is nothing, else the length of its
 * code shifted left by two, with 0 added for a module, 1 for a package and 2 for a folder of a namespace package. Where
 * there is only source the length is 0. */
HOST("module_find") int64_t host_module_find(const char *stem, size_t length);

/* Copies the marshalled code of the module found last. */
HOST("module_load") void host_module_load(void *code);

/* Sets permission bits of a file relative to a folder descriptor, or, with an empty path, of the descriptor's own file;
 * returns a Linux errno or 0. */
HOST("chmod") int32_t host_chmod(int32_t folder, const char *path, size_t length, uint32_t mode);

/* Sets the permission bits that new files and folders do not get, and those that they get otherwise: the usual ones if
 * negative. */
HOST("umask") void host_umask(uint32_t mask, int32_t mode);

/* Bytes of memory that the job may have. */
HOST("memory_limit") int64_t host_memory_limit(void);

/* Bytes of disk: kind 0 all, 1 still free; files: kind 2 all, 3 still free. */
HOST("disk") int64_t host_disk(int32_t kind);

/* How often the guest has done what a copy of it cannot repeat. Kind 0: read a clock, 1: drawn random numbers, 2: printed,
 * 3: used its folders on disk; kind 4: descriptors that are open. */
HOST("effects") int64_t host_effects(int32_t kind);

/* A second descriptor for an open file: the lowest free one, or `to` when that is not negative. Returns the descriptor, or
 * a negative Linux errno. */
HOST("dup") int32_t host_dup(int32_t fd, int32_t to);

/* Makes a pipe inside the job. Returns the descriptor to write to in the upper half and the one to read from in the lower,
 * or a negative Linux errno. */
HOST("pipe") int64_t host_pipe(void);

/* Asks for calls of tools, as JSON, and waits until there is a result of one of those that are outstanding, or the time is
 * over, which is without end when negative. Returns the length of the results, as JSON; 0 when the time was over or the call
 * was interrupted. */
HOST("tools_call") int64_t host_tools_call(const char *calls, size_t length, double seconds);

/* Copies the results that came last. */
HOST("tools_take") void host_tools_take(void *results);

/* Called when the guest has used up a slice of fuel, from code that the host adds when it compiles the module. */
HOST("tick") void host_tick(void);

#endif
