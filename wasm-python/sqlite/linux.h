/* Read before SQLite, so that it takes WASI for a Unix.
 *
 * SQLite leaves out its shared memory and its locks under WASI, because wasi-libc has neither mmap nor locks. Connections of
 * one process need little of them: SQLite itself keeps the locks that they hold against each other, and asks the system
 * only for those against other processes, of which there are none. `libc/posix.c` grants every such lock, and takes memory
 * of its own for the index of a write-ahead log. */
#ifdef __wasi__
#define _WASI_EMULATED_MMAN
#define _WASI_EMULATED_GETPID
#include <fcntl.h>
#include <sys/types.h>
#include <wasi/api.h>
#undef __wasi__
/* As in libc/posix.c. */
#define F_GETLK 5
#define F_SETLK 6
#define F_SETLKW 7
#define F_RDLCK 0
#define F_WRLCK 1
#define F_UNLCK 2
/* SQLite gives files that it makes as root to the owner of the database. */
static int fchown(int fd, uid_t user, gid_t group) { return 0; }
static uid_t geteuid(void) { return 1000; }
#endif
