"""Segments of one direction that are not yet acknowledged (SEMANTICS A-13, AK-1, AK-2, BF-2).

Entries lie in order of arrival.  As long as they are also in order of sequence numbers, the usual case,
an acknowledgement takes them from the front; otherwise all are looked at.  ``low`` and ``high`` are
always the smallest start and the largest end, relative to the direction's base.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from tcpcore.pool cimport SIZES, pool_at, pool_give_back, pool_t, pool_take
from tcpcore.seqnum cimport after

cdef enum:
    MAX_INFLIGHT = 10_000          # A-13
    FIRST_SIZE = 0                 # one entry: a SYN that nobody answers needs no more
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

ctypedef struct flight_t:
    uint32_t block                 # of the pool; 0: no entries
    uint32_t low, high
    uint16_t head, tail            # entries head to tail - 1 of the block
    uint8_t size
    uint8_t disorder               # 0: an acknowledgement takes from the front

ctypedef struct acked_t:
    uint64_t frame                 # the oldest entry that ends at the acknowledgement; 0: none
    int64_t time_ns
    bint again                     # something that was removed may have been sent before (Karn's rule)


cdef inline uint32_t flight_count(const flight_t* flight) noexcept nogil:
    return flight.tail - flight.head


cdef inline inflight_t* flight_entries(const pool_t* pool, const flight_t* flight) noexcept nogil:
    return <inflight_t*> pool_at(pool, flight.size, flight.block)


# -- adding

cdef inline bint flight_room(pool_t* pool, flight_t* flight) noexcept nogil:
    """Make room for one more entry behind the last; False if there is none to be had."""
    cdef uint32_t block, n = flight_count(flight)
    cdef int size
    if flight.block == 0:
        flight.size, flight.head, flight.tail = FIRST_SIZE, 0, 0
        flight.block = pool_take(pool, FIRST_SIZE)
        return flight.block != 0
    if flight.tail < 1 << flight.size:
        return True
    if flight.head > flight.tail // 2 or flight.size == SIZES - 1:     # so that each entry moves about once
        memmove(flight_entries(pool, flight), flight_entries(pool, flight) + flight.head, n * sizeof(inflight_t))
    else:
        size = flight.size + 1
        block = pool_take(pool, size)
        if block == 0:
            return False
        memcpy(pool_at(pool, size, block), flight_entries(pool, flight) + flight.head, n * sizeof(inflight_t))
        pool_give_back(pool, flight.size, flight.block)
        flight.block, flight.size = block, <uint8_t> size
    flight.head, flight.tail = 0, <uint16_t> n
    return True


cdef inline void flight_account(flight_t* flight, const inflight_t* entries, uint32_t i, uint32_t base) noexcept nogil:
    """Bring order and bounds up to date with entry ``i``, the last so far."""
    cdef uint32_t low = entries[i].seq - base, high = entries[i].nxt - base
    if i == flight.head:
        flight.low, flight.high, flight.disorder = low, high, 0
    else:
        flight.disorder |= UNSORTED * (low < flight.high)
        flight.low, flight.high = min(flight.low, low), max(flight.high, high)
    if flight.high - flight.low >= NEAR or high < low:
        flight.disorder |= WIDE


cdef inline bint flight_add(pool_t* pool, flight_t* flight, const inflight_t* entry, uint32_t base) noexcept nogil:
    """Append an entry; False if there is no memory for it."""
    cdef inflight_t* entries
    if not flight_room(pool, flight):
        return False
    entries = flight_entries(pool, flight)
    entries[flight.tail] = entry[0]
    flight_account(flight, entries, flight.tail, base)
    flight.tail += 1
    return True


cdef inline void flight_rebase(pool_t* pool, flight_t* flight, uint32_t base) noexcept nogil:
    """The base has changed (ST-6)."""
    cdef uint32_t i
    for i in range(flight.head, flight.tail):
        flight_account(flight, flight_entries(pool, flight), i, base)


# -- acknowledging

cdef inline void flight_end(pool_t* pool, flight_t* flight) noexcept nogil:
    """Give the block back if nothing is left."""
    if flight.head == flight.tail:
        pool_give_back(pool, flight.size, flight.block)
        flight.block = 0
        flight.head = flight.tail = 0


cdef inline void flight_remove(const inflight_t* entry, uint32_t ack, acked_t* acked) noexcept nogil:
    acked.again |= (entry.frame & AGAIN) != 0
    if entry.nxt == ack and acked.frame == 0:
        acked.frame, acked.time_ns = entry.frame & ~AGAIN, entry.time_ns


cdef inline void flight_ack_front(pool_t* pool, flight_t* flight, uint32_t ack, uint32_t base,
                                  acked_t* acked) noexcept nogil:
    """Sorted entries, all within safe distance of ``ack``: the front goes, and the one around it is shortened."""
    cdef inflight_t* entry = flight_entries(pool, flight) + flight.head
    while flight.head < flight.tail and not after(entry.nxt, ack):
        flight_remove(entry, ack, acked)
        flight.head += 1
        entry += 1
    if flight.head == flight.tail:
        flight_end(pool, flight)
        return
    if after(ack, entry.seq):
        entry.seq = ack
    flight.low = entry.seq - base


cdef inline void flight_ack_each(pool_t* pool, flight_t* flight, uint32_t ack, uint32_t base,
                                 acked_t* acked) noexcept nogil:
    """AK-1 and AK-2 for every entry; what is kept moves up."""
    cdef inflight_t* entries = flight_entries(pool, flight)
    cdef uint32_t i, kept = flight.head
    for i in range(flight.head, flight.tail):
        if entries[i].nxt != ack and after(ack, entries[i].seq) and not after(ack, entries[i].nxt):
            entries[i].seq = ack
        elif entries[i].nxt == ack or not after(entries[i].nxt, ack):
            flight_remove(&entries[i], ack, acked)
            continue
        entries[kept] = entries[i]
        flight_account(flight, entries, kept, base)
        kept += 1
    flight.tail = <uint16_t> kept
    flight_end(pool, flight)


cdef inline void flight_ack(pool_t* pool, flight_t* flight, uint32_t ack, uint32_t base, acked_t* acked) noexcept nogil:
    """Remove and shorten what ``ack`` covers."""
    cdef inflight_t* first
    acked.frame, acked.again = 0, False
    if flight.block == 0:
        return
    first = flight_entries(pool, flight) + flight.head
    if flight.disorder or ack - first.seq + NEAR >= 3 * <uint32_t> NEAR:
        if flight.disorder & WIDE or ack - base > flight.low or flight.high - (ack - base) >= NEAR:
            flight_ack_each(pool, flight, ack, base, acked)
    elif after(ack, first.seq):
        flight_ack_front(pool, flight, ack, base, acked)
