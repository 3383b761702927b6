"""Which of two overlapping segments keeps the bytes they share.

Every rule is a total order over (first byte, last byte, order of arrival) of the segments as they
were sent, so that the owner of a byte does not depend on how the overlaps are worked through.
docs/streams.md says which operating system follows which rule, and where that is published.
"""
from libc.stdint cimport int64_t, uint64_t

cpdef enum OverlapRule:
    FIRST = 0                      # the copy that came first
    LAST = 1                       # the copy that came last
    BSD = 2                        # the segment that begins first; then the earlier arrival
    BSD_RIGHT = 3                  # the segment that begins last; then the later arrival
    LINUX = 4                      # begins first; then ends last; then the earlier arrival
    OLD_LINUX = 5                  # begins first; then ends last; then the later arrival
    SOLARIS = 6                    # ends last; then begins first; then the later arrival


ctypedef struct extent_t:
    int64_t start, end             # half-open, as sent
    uint64_t order                 # of arrival; EXTENT_CUT set: the bytes were not captured


cdef extern from *:
    """
    #define EXTENT_CUT (1ULL << 63)
    """
    const uint64_t EXTENT_CUT


cdef inline bint wins(int rule, const extent_t* a, const extent_t* b) noexcept nogil:
    """``a`` keeps what it shares with ``b``; bytes that were captured beat bytes that were not."""
    if (a.order ^ b.order) & EXTENT_CUT:
        return b.order & EXTENT_CUT != 0
    if rule == SOLARIS:
        if a.end != b.end:
            return a.end > b.end
        if a.start != b.start:
            return a.start < b.start
        return a.order > b.order
    if rule >= BSD and a.start != b.start:
        return a.start > b.start if rule == BSD_RIGHT else a.start < b.start
    if rule >= LINUX and a.end != b.end:
        return a.end > b.end
    if rule == LAST or rule == BSD_RIGHT or rule == OLD_LINUX:
        return a.order > b.order
    return a.order < b.order
