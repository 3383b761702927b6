"""Arrays that grow without copying: anonymous mappings, zero until written, resident only where touched.

Many millions of flows are looked up in no order, so hot arrays ask for huge pages: one TLB entry then
covers 2 MB of them, and one page fault fills them.  An array moves to huge pages when it outgrows 256 KiB; that is the
only copy.  Sparse arrays must not, or every touch would cost 2 MB.

Under AddressSanitizer they come from the heap, move whenever they grow, and what has not been asked for is fenced.
"""
from libc.stddef cimport size_t

cdef extern from *:
    """
    #include <stdlib.h>
    #include <string.h>
    #include <sys/mman.h>
    #include "sanitize.h"

    typedef struct {
        void*  data;
        size_t size;              /* bytes mapped */
        int    huge;
    } growable_t;

    #ifdef TCPCORE_ASAN
    static inline int tcpcore_grow(growable_t* array, size_t wanted) {
        size_t size = wanted > array->size * 3 / 2 ? wanted : array->size * 3 / 2;
        char* grown;
        if (wanted > array->size) {
            grown = calloc(size, 1);
            if (grown == NULL) {
                return -1;
            }
            if (array->data != NULL) {
                tcpcore_open(array->data, array->size);
                memcpy(grown, array->data, array->size);
                free(array->data);
            }
            array->data = grown;
            array->size = size;
            tcpcore_fence(grown + wanted, size - wanted);
        }
        tcpcore_open(array->data, wanted);
        return 0;
    }

    static inline void tcpcore_release(growable_t* array) {
        free(array->data);
        array->data = NULL;
        array->size = 0;
    }
    #else
    #define TCPCORE_SMALL ((size_t) 256 << 10)

    static inline void* tcpcore_map(size_t size) {
        return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    }

    /* Out of small pages, into huge ones. */
    static inline void* tcpcore_resettle(const growable_t* array, size_t size) {
        void* grown = tcpcore_map(size);
        if (grown != MAP_FAILED) {
            madvise(grown, size, MADV_HUGEPAGE);
            memcpy(grown, array->data, array->size);
            munmap(array->data, array->size);
        }
        return grown;
    }

    /* At least `wanted` bytes; what is new is zero.  The array may move.  0, or -1 without memory. */
    static inline int tcpcore_grow(growable_t* array, size_t wanted) {
        const size_t step = array->data == NULL && wanted <= TCPCORE_SMALL ? TCPCORE_SMALL : (size_t) 2 << 20;
        size_t size = array->size + array->size / 2;
        void* grown;
        if (wanted <= array->size) {
            return 0;
        }
        size = ((wanted > size ? wanted : size) + step - 1) / step * step;
        if (array->data == NULL) {
            grown = tcpcore_map(size);
        } else if (array->huge && array->size == TCPCORE_SMALL) {
            grown = tcpcore_resettle(array, size);
        } else {
            grown = mremap(array->data, array->size, size, MREMAP_MAYMOVE);
        }
        if (grown == MAP_FAILED) {
            return -1;
        }
        array->data = grown;
        array->size = size;
        if (array->huge && size > TCPCORE_SMALL) {
            madvise(grown, size, MADV_HUGEPAGE);
        }
        return 0;
    }

    static inline void tcpcore_release(growable_t* array) {
        if (array->data != NULL) {
            munmap(array->data, array->size);
        }
        array->data = NULL;
        array->size = 0;
    }
    #endif
    """
    ctypedef struct growable_t:
        void* data
        size_t size
        bint huge

    int grow "tcpcore_grow"(growable_t* array, size_t wanted) noexcept nogil
    void release "tcpcore_release"(growable_t* array) noexcept nogil
