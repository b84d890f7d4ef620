/* malloc for the guest: Doug Lea's allocator over memory.grow.
 *
 * zig's own malloc rounds every large block up to a power of two, so that a 520 MB bytearray would need 1 GiB of a
 * 1 GiB limit. This one splits and merges, and grows blocks in place. */
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#define PAGE 65536u
#define STEP (1u << 20) /* fewer, larger grows: each one is a host call */

extern unsigned char __heap_base;
static uintptr_t heap_end;   /* what has been handed out ends here */
static uintptr_t claimed_end; /* pages grown by us end here; others may grow memory as well */

static void *more_memory(ptrdiff_t increment) {
    if (heap_end == 0) {
        heap_end = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
        claimed_end = (heap_end + PAGE - 1) / PAGE * PAGE;
    }
    if (increment <= 0) {
        return increment == 0 ? (void *)heap_end : (void *)-1;
    }
    uintptr_t size = (uintptr_t)increment;
    if (size > claimed_end - heap_end) {
        uintptr_t pages = (size - (claimed_end - heap_end) + PAGE - 1) / PAGE;
        if (__builtin_wasm_memory_size(0) * PAGE != claimed_end) {
            pages = (size + PAGE - 1) / PAGE; /* memory in between is someone else's: start anew behind it */
        }
        size_t grown = pages < STEP / PAGE ? STEP / PAGE : pages;
        size_t before = __builtin_wasm_memory_grow(0, grown);
        if (before == (size_t)-1) {
            grown = pages;
            before = __builtin_wasm_memory_grow(0, grown);
            if (before == (size_t)-1) {
                return (void *)-1;
            }
        }
        if (before * PAGE != claimed_end) {
            heap_end = before * PAGE;
        }
        claimed_end = (before + grown) * PAGE;
    }
    void *start = (void *)heap_end;
    heap_end += size;
    return start;
}

#define MORECORE more_memory
#define MORECORE_CONTIGUOUS 1
#define MORECORE_CANNOT_TRIM 1
#define HAVE_MMAP 0
#define HAVE_MREMAP 0
#define USE_LOCKS 0
#define NO_MALLINFO 1
#define NO_MALLOC_STATS 1
#define LACKS_TIME_H 1
#define LACKS_SYS_PARAM_H 1
#define LACKS_UNISTD_H 1
#define LACKS_SCHED_H 1
#define malloc_getpagesize PAGE
#define DEFAULT_GRANULARITY PAGE
#define ABORT __builtin_trap()
#define MALLOC_FAILURE_ACTION errno = ENOMEM
#define DLMALLOC_EXPORT
#define MALLOC_ALIGNMENT 16 /* that of max_align_t, which the compiler counts on */

#include "dlmalloc.c"

/* What a job may use before memory has to grow, which is a system call or two. */
#define SPARE (3u << 20)

/* Uses up every free block there is, for good, so that what is allocated from now on lies together at the end. Copies of
 * a snapshot then write to few pages instead of to many. */
void malloc_start_anew(void) {
    size_t size = 1u << 20;
    while (size >= MIN_REQUEST) {
        char *last = (char *)gm->top, *block = dlmalloc(size);
        if (block == NULL) {
            return;
        }
        if (block >= last) {
            dlfree(block);
            size = size > MIN_LARGE_SIZE ? size / 2 : size - MALLOC_ALIGNMENT;
        }
    }
    dlfree(dlmalloc(SPARE));
}
