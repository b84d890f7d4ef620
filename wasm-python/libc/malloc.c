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
static uintptr_t heap_end;

static void *more_memory(ptrdiff_t increment) {
    if (heap_end == 0) {
        heap_end = ((uintptr_t)&__heap_base + 15) & ~(uintptr_t)15;
    }
    if (increment <= 0) {
        return increment == 0 ? (void *)heap_end : (void *)-1;
    }
    uintptr_t start = heap_end, end = start + (uintptr_t)increment;
    if (end < start) {
        return (void *)-1;
    }
    uintptr_t have = (uintptr_t)__builtin_wasm_memory_size(0);
    uintptr_t need = (end + PAGE - 1) / PAGE;
    if (need > have) {
        uintptr_t want = need - have, roomy = want < STEP / PAGE ? STEP / PAGE : want;
        if (__builtin_wasm_memory_grow(0, roomy) == (size_t)-1 && __builtin_wasm_memory_grow(0, want) == (size_t)-1) {
            return (void *)-1;
        }
    }
    heap_end = end;
    return (void *)start;
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

#include "dlmalloc.c"
