/* Tells AddressSanitizer what it cannot know: which part of our memory is not in use at the moment. */
#ifndef TCPCORE_SANITIZE_H
#define TCPCORE_SANITIZE_H

#include <stddef.h>

#if defined(__has_feature)
#if __has_feature(address_sanitizer)
#define TCPCORE_ASAN 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__)
#define TCPCORE_ASAN 1
#endif

#ifdef TCPCORE_ASAN
#include <sanitizer/asan_interface.h>
#endif

/* Any touch of these bytes is an error until they are opened. */
static inline void tcpcore_fence(const void* begin, size_t size) {
#ifdef TCPCORE_ASAN
    __asan_poison_memory_region(begin, size);
#else
    (void) begin;
    (void) size;
#endif
}

static inline void tcpcore_open(const void* begin, size_t size) {
#ifdef TCPCORE_ASAN
    __asan_unpoison_memory_region(begin, size);
#else
    (void) begin;
    (void) size;
#endif
}

/* Room that an array takes beyond the `size` it needs; none, so that it moves whenever it grows. */
static inline size_t tcpcore_spare(size_t size) {
#ifdef TCPCORE_ASAN
    (void) size;
    return 0;
#else
    return size;
#endif
}

#endif
