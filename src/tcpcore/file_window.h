/* A piece of a file as the page cache has it. */
#ifndef TCPCORE_FILE_WINDOW_H
#define TCPCORE_FILE_WINDOW_H

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif
#define TCPCORE_ZFS_MAGIC 0x2FC12FC1
#define TCPCORE_XFS_MAGIC 0x58465342

/* Elsewhere, as in FUSE, there may be leases that the machine which has the file knows nothing of. */
static inline int tcpcore_is_local(int file) {
    struct statfs system;
    if (fstatfs(file, &system))
        return 0;
    switch ((uint32_t) system.f_type) {
        case EXT4_SUPER_MAGIC: case TCPCORE_XFS_MAGIC: case BTRFS_SUPER_MAGIC: case F2FS_SUPER_MAGIC:
        case TCPCORE_ZFS_MAGIC: case TMPFS_MAGIC: case OVERLAYFS_SUPER_MAGIC:
            return 1;
    }
    return 0;
}

/* The same file once more: a lease belongs to what one open() gave, and the caller's may be shared with others. */
static inline int tcpcore_open_again(int file) {
    char path[32];
    snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    return tcpcore_is_local(file) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
}

/* From here on who opens the file for writing waits.  That somebody does is told by SIGURG, which is ignored by default:
   SIGIO would end the process.  The end of a lease forgets the signal, so it is set for each. */
static inline int tcpcore_take_lease(int file) {
    return fcntl(file, F_SETSIG, SIGURG) || fcntl(file, F_SETLEASE, F_RDLCK);
}

/* 0 if there was no lease any more: who had waited long enough was let in. */
static inline int tcpcore_end_lease(int file) {
    return fcntl(file, F_SETLEASE, F_UNLCK) == 0;
}

static inline uint8_t* tcpcore_map(int file, uint64_t start, size_t size) {
    void* pages = mmap(NULL, size, PROT_READ, MAP_SHARED, file, (off_t) start);
    return pages == MAP_FAILED ? NULL : pages;
}

/* See that the pages are there just before they are touched: a file that cannot be read is told here, not by a signal.
   Systems before Linux 5.14 cannot do this. */
static inline int tcpcore_load(const uint8_t* at, size_t size) {
    uintptr_t start = (uintptr_t) at & ~((uintptr_t) sysconf(_SC_PAGESIZE) - 1);
    return madvise((void*) start, size + ((uintptr_t) at - start), MADV_POPULATE_READ);
}

static inline int64_t tcpcore_file_size(int file) {
    struct stat status;
    return fstat(file, &status) ? -1 : (int64_t) status.st_size;
}

#endif
