/* A piece of a file as the page cache has it; where the system offers no read leases, there is none. */
#ifndef TCPCORE_FILE_WINDOW_H
#define TCPCORE_FILE_WINDOW_H

#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <sys/stat.h>

#ifdef F_SETLEASE
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* Who opens the file for writing waits until the lease is given back; told by SIGURG, which is ignored by default,
   for SIGIO would end the process. */
static inline int tcpcore_take_lease(int file) {
    return fcntl(file, F_SETSIG, SIGURG) || fcntl(file, F_SETLEASE, F_RDLCK);
}

static inline void tcpcore_end_lease(int file) {
    fcntl(file, F_SETLEASE, F_UNLCK);
}

/* The pages are there before they are touched: a file that cannot be read is told here, and not by a signal. */
static inline uint8_t* tcpcore_map(int file, uint64_t start, size_t size) {
    void* pages = mmap(NULL, size, PROT_READ, MAP_SHARED, file, (off_t) start);
    if (pages == MAP_FAILED)
        return NULL;
    if (madvise(pages, size, MADV_POPULATE_READ)) {
        munmap(pages, size);
        return NULL;
    }
    return pages;
}
#else
static inline int tcpcore_take_lease(int file) { (void) file; return -1; }
static inline void tcpcore_end_lease(int file) { (void) file; }
static inline uint8_t* tcpcore_map(int file, uint64_t start, size_t size) {
    (void) file; (void) start; (void) size;
    return NULL;
}
#endif

static inline int64_t tcpcore_file_size(int file) {
    struct stat status;
    return fstat(file, &status) ? -1 : (int64_t) status.st_size;
}

#endif
