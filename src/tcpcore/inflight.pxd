"""Segments of one direction that are not yet acknowledged (SEMANTICS A-13, AK-1, AK-2, BF-2).

Entries lie in order of arrival.  As long as they are also in order of sequence numbers, the usual case,
an acknowledgement takes them from the front; otherwise all are looked at.  ``low`` and ``high`` are
always the smallest start and the largest end, relative to the direction's base.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from tcpcore.pool cimport SIZES, named_at, named_give_back, named_size, named_take, pool_t
from tcpcore.seqnum cimport after, not_after

cdef enum:
    MAX_INFLIGHT = 10_000          # A-13
    FIRST_SIZE = 1                 # flying_t and one entry: a SYN that nobody answers needs no more
    NEAR = 1 << 30                 # distances below it are safe from the ambiguity of CM-1

cdef extern from *:
    """
    #define INFLIGHT_AGAIN (1ULL << 63)
    """
    const uint64_t AGAIN "INFLIGHT_AGAIN"

cdef enum Disorder:
    UNSORTED = 1                   # an entry starts before the end of an earlier one
    WIDE = 2                       # spread over NEAR or across relative number 0: low and high bound nothing

ctypedef struct inflight_t:
    uint64_t frame                 # with AGAIN: starts before what had been sent by then
    int64_t time_ns
    uint32_t seq, nxt              # raw

# In the place of the block's first entry.
ctypedef struct flying_t:
    uint32_t low, high
    uint16_t head, tail            # entries head to tail - 1 of the block
    uint8_t disorder               # 0: an acknowledgement takes from the front

ctypedef struct flight_t:
    uint32_t block                 # its name in the pool; 0: no entries

ctypedef struct acked_t:
    uint64_t frame                 # the oldest entry that ends at the acknowledgement; 0: none
    int64_t time_ns
    bint again                     # something that was removed may have been sent before (Karn's rule)


cdef inline int flight_size(const flight_t* flight) noexcept nogil:
    """The block has 1 << flight_size entries, the first of which is flying_t."""
    return named_size(flight.block)


cdef inline inflight_t* flight_entries(const pool_t* pool, const flight_t* flight) noexcept nogil:
    return <inflight_t*> named_at(pool, flight.block)


cdef inline flying_t* flight_list(const pool_t* pool, const flight_t* flight) noexcept nogil:
    """Only if there is a block."""
    return <flying_t*> flight_entries(pool, flight)


cdef inline uint32_t flight_count(const pool_t* pool, const flight_t* flight) noexcept nogil:
    cdef const flying_t* flying
    if flight.block == 0:
        return 0
    flying = flight_list(pool, flight)
    return flying.tail - flying.head


cdef inline void flight_drop(pool_t* pool, flight_t* flight) noexcept nogil:
    if flight.block:
        named_give_back(pool, flight.block)
        flight.block = 0


# -- adding

cdef inline bint flight_room(pool_t* pool, flight_t* flight) noexcept nogil:
    """Make room for one more entry behind the last; False if there is none to be had."""
    cdef flying_t* flying
    cdef flight_t grown
    cdef inflight_t* entries
    cdef uint32_t n
    if flight.block == 0:
        flight.block = named_take(pool, FIRST_SIZE)
        if flight.block == 0:
            return False
        flying = flight_list(pool, flight)
        flying.head = flying.tail = 1
        return True
    flying, entries = flight_list(pool, flight), flight_entries(pool, flight)
    if flying.tail < 1 << flight_size(flight):
        return True
    n = flying.tail - flying.head
    if flying.head > flying.tail // 2 or flight_size(flight) == SIZES - 1:     # so that each entry moves about once
        memmove(entries + 1, entries + flying.head, n * sizeof(inflight_t))
    else:
        grown.block = named_take(pool, flight_size(flight) + 1)
        if grown.block == 0:
            return False
        flying, entries = flight_list(pool, flight), flight_entries(pool, flight)      # the pool may have moved
        memcpy(flight_entries(pool, &grown), entries, sizeof(inflight_t))
        memcpy(flight_entries(pool, &grown) + 1, entries + flying.head, n * sizeof(inflight_t))
        flight_drop(pool, flight)
        flight[0] = grown
        flying = flight_list(pool, flight)
    flying.head, flying.tail = 1, <uint16_t> (n + 1)
    return True


cdef inline void flight_account(flying_t* flying, const inflight_t* entry, bint first, uint32_t base) noexcept nogil:
    """Bring order and bounds up to date with an entry, the last so far."""
    cdef uint32_t low = entry.seq - base, high = entry.nxt - base
    if first:
        flying.low, flying.high, flying.disorder = low, high, 0
    else:
        flying.disorder |= UNSORTED * (low < flying.high)
        flying.low, flying.high = min(flying.low, low), max(flying.high, high)
    if flying.high - flying.low >= NEAR or high < low:
        flying.disorder |= WIDE


cdef inline bint flight_add(pool_t* pool, flight_t* flight, const inflight_t* entry, uint32_t base) noexcept nogil:
    """Append an entry; False if there is no memory for it."""
    cdef flying_t* flying
    if not flight_room(pool, flight):
        return False
    flying = flight_list(pool, flight)
    flight_entries(pool, flight)[flying.tail] = entry[0]
    flight_account(flying, entry, flying.head == flying.tail, base)
    flying.tail += 1
    return True


cdef inline void flight_rebase(pool_t* pool, flight_t* flight, uint32_t base) noexcept nogil:
    """The base has changed (ST-6)."""
    cdef flying_t* flying
    cdef uint32_t i
    if flight.block:
        flying = flight_list(pool, flight)
        for i in range(flying.head, flying.tail):
            flight_account(flying, flight_entries(pool, flight) + i, i == flying.head, base)


# -- acknowledging

cdef inline void flight_remove(const inflight_t* entry, uint32_t ack, acked_t* acked) noexcept nogil:
    acked.again |= (entry.frame & AGAIN) != 0
    if entry.nxt == ack and acked.frame == 0:
        acked.frame, acked.time_ns = entry.frame & ~AGAIN, entry.time_ns


cdef inline void flight_ack_front(flying_t* flying, inflight_t* entries, uint32_t ack, uint32_t base,
                                  acked_t* acked) noexcept nogil:
    """Sorted entries, all within safe distance of ``ack``: the front goes, and the one around it is shortened."""
    cdef inflight_t* entry = entries + flying.head
    while flying.head < flying.tail and not after(entry.nxt, ack):
        flight_remove(entry, ack, acked)
        flying.head += 1
        entry += 1
    if flying.head == flying.tail:
        return
    if after(ack, entry.seq):
        entry.seq = ack
    flying.low = entry.seq - base


cdef inline void flight_ack_each(flying_t* flying, inflight_t* entries, uint32_t ack, uint32_t base,
                                 acked_t* acked) noexcept nogil:
    """AK-1 and AK-2 for every entry; what is kept moves up."""
    cdef uint32_t i, kept = flying.head
    for i in range(flying.head, flying.tail):
        if entries[i].nxt != ack and after(ack, entries[i].seq) and not_after(ack, entries[i].nxt):
            entries[i].seq = ack
        elif entries[i].nxt == ack or not after(entries[i].nxt, ack):
            flight_remove(&entries[i], ack, acked)
            continue
        entries[kept] = entries[i]
        flight_account(flying, &entries[kept], kept == flying.head, base)
        kept += 1
    flying.tail = <uint16_t> kept


cdef inline void flight_ack(pool_t* pool, flight_t* flight, uint32_t ack, uint32_t base, acked_t* acked) noexcept nogil:
    """Remove and shorten what ``ack`` covers; the block is given back if nothing is left."""
    cdef flying_t* flying
    cdef inflight_t* entries
    cdef inflight_t* first
    acked.frame, acked.again = 0, False
    if flight.block == 0:
        return
    flying, entries = flight_list(pool, flight), flight_entries(pool, flight)
    first = entries + flying.head
    if flying.disorder or ack - first.seq + NEAR >= 3 * <uint32_t> NEAR:
        if flying.disorder & WIDE or ack - base > flying.low or flying.high - (ack - base) >= NEAR:
            flight_ack_each(flying, entries, ack, base, acked)
    elif after(ack, first.seq):
        flight_ack_front(flying, entries, ack, base, acked)
    if flying.head == flying.tail:
        flight_drop(pool, flight)
