"""Lists of what a sender sent, in pool blocks that grow with what is outstanding and forget the oldest.

The ranges of ``sender_t.sent`` are sorted and disjoint.  What a sender may send again lies within one window
behind the highest number, so the list keeps all that is not acknowledged and as much again before it.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t
from libc.string cimport memcpy, memmove

from tcpcore.pool cimport SIZES, named_at, named_give_back, named_size, named_take, pool_t
from tcpcore.sender cimport FORGETFUL, again_t, list_t, sender_t, sent_end, sent_t

cdef enum:
    KEPT = 7                       # blocks of up to 1 << KEPT entries grow before anything is forgotten
    AGAIN_SIZES = 9                # 1 << 8 packets sent again are remembered


cdef inline uint8_t* list_entries(const pool_t* pool, const list_t* held) noexcept nogil:
    return <uint8_t*> named_at(pool, held.block)


cdef inline sent_t* sent_ranges(const pool_t* pool, const sender_t* sender) noexcept nogil:
    """Entries head to tail - 1 of these."""
    return <sent_t*> list_entries(pool, &sender.sent) if sender.sent.block else <sent_t*> &sender.only


cdef inline uint32_t range_capacity(const sender_t* sender) noexcept nogil:
    return <uint32_t> 1 << named_size(sender.sent.block)


cdef inline again_t* again_packets(const pool_t* pool, const list_t* held) noexcept nogil:
    return <again_t*> list_entries(pool, held)


cdef inline uint32_t list_count(const list_t* held) noexcept nogil:
    return held.tail - held.head


cdef inline uint32_t list_capacity(const list_t* held) noexcept nogil:
    return <uint32_t> 1 << named_size(held.block) if held.block else 0


cdef inline void list_drop(pool_t* pool, list_t* held) noexcept nogil:
    if held.block:
        named_give_back(pool, held.block)
    held.block, held.head, held.tail = 0, 0, 0


cdef inline bint list_grow(pool_t* pool, list_t* held, int size) noexcept nogil:
    """Move to a block of 1 << size entries; False if the pool has none."""
    cdef uint32_t n = list_count(held), block = named_take(pool, size)
    if block == 0:
        return False
    if held.block:
        memcpy(named_at(pool, block), list_entries(pool, held) + held.head * pool.entry, n * pool.entry)
        named_give_back(pool, held.block)
    held.block, held.head, held.tail = block, 0, <uint16_t> n
    return True


cdef inline void list_pack(pool_t* pool, list_t* held) noexcept nogil:
    """Move the entries to the front of their block."""
    cdef uint8_t* entries = list_entries(pool, held)
    memmove(entries, entries + held.head * pool.entry, (held.tail - held.head) * pool.entry)
    held.tail -= held.head
    held.head = 0


# -- ranges

cdef inline void forget(pool_t* pool, sender_t* sender, uint32_t keep, bint acked_only) noexcept nogil:
    """Drop the oldest ranges, down to ``keep``."""
    cdef const sent_t* ranges = sent_ranges(pool, sender)
    cdef list_t* held = &sender.sent
    while list_count(held) > keep and (not acked_only or sent_end(&ranges[held.head]) <= sender.acked):
        held.head += 1
        sender.state |= FORGETFUL


cdef inline bint make_room(pool_t* pool, sender_t* sender, uint32_t n) noexcept nogil:
    """For ``n`` more ranges, at most 3; False if there is no memory for any."""
    return sender.sent.tail + n <= range_capacity(sender) or find_room(pool, sender, n)


cdef inline bint find_room(pool_t* pool, sender_t* sender, uint32_t n) noexcept nogil:
    cdef list_t* held = &sender.sent
    cdef uint32_t half
    while held.tail + n > range_capacity(sender):
        half = range_capacity(sender) // 2
        if held.block and named_size(held.block) >= KEPT:
            forget(pool, sender, half, True)
        if half and list_count(held) <= half and held.head >= n:
            list_pack(pool, held)
        elif named_size(held.block) == SIZES - 1 or not grow_ranges(pool, sender):
            if half < n:
                return False
            forget(pool, sender, half, False)
            list_pack(pool, held)
    return True


cdef inline bint grow_ranges(pool_t* pool, sender_t* sender) noexcept nogil:
    """One range in the sender, then 4 in a block, 16, 64, and twice as many each time; False without memory."""
    cdef bint inside = sender.sent.block == 0 and list_count(&sender.sent)
    cdef int size = named_size(sender.sent.block)
    if not list_grow(pool, &sender.sent, size + 2 if size + 1 < KEPT else size + 1):
        return False
    if inside:
        sent_ranges(pool, sender)[0] = sender.only
    return True


cdef inline uint32_t find_range(const pool_t* pool, const sender_t* sender, int64_t position) noexcept nogil:
    """How many ranges start at or before ``position``, counted as a place in the block."""
    cdef const sent_t* ranges = sent_ranges(pool, sender)
    cdef uint32_t low = sender.sent.head, high = sender.sent.tail, middle
    while low < high:
        middle = (low + high) // 2
        if ranges[middle].start <= position:
            low = middle + 1
        else:
            high = middle
    return low


cdef inline sent_t* range_at(const pool_t* pool, const sender_t* sender, int64_t position) noexcept nogil:
    """The range that holds ``position``, or NULL."""
    cdef uint32_t i = find_range(pool, sender, position)
    cdef sent_t* found
    if i == sender.sent.head:
        return NULL
    found = &sent_ranges(pool, sender)[i - 1]
    return found if position < sent_end(found) else NULL


cdef inline sent_t* next_range(pool_t* pool, sender_t* sender) noexcept nogil:
    """One more behind the last, to be filled in; NULL without memory."""
    if not make_room(pool, sender, 1):
        return NULL
    sender.sent.tail += 1
    return sent_ranges(pool, sender) + sender.sent.tail - 1


cdef inline bint append_range(pool_t* pool, sender_t* sender, const sent_t* sent) noexcept nogil:
    cdef sent_t* place = next_range(pool, sender)
    if place == NULL:
        return False
    place[0] = sent[0]
    return True


cdef inline void replace_ranges(pool_t* pool, sender_t* sender, uint32_t i, uint32_t end,
                                const sent_t* sent) noexcept nogil:
    """What is at the places ``i`` to ``end`` - 1 of the block, perhaps nothing, by one; there is room."""
    cdef sent_t* ranges = sent_ranges(pool, sender)
    memmove(ranges + i + 1, ranges + end, (sender.sent.tail - end) * sizeof(sent_t))
    ranges[i] = sent[0]
    sender.sent.tail = <uint16_t> (sender.sent.tail + i + 1 - end)


cdef inline void insert_range(pool_t* pool, sender_t* sender, uint32_t i, const sent_t* sent) noexcept nogil:
    """At place ``i`` of the block; there is room."""
    replace_ranges(pool, sender, i, i, sent)


cdef inline void keep_last(pool_t* pool, sender_t* sender) noexcept nogil:
    """Of a sender that has nothing more to say: only its last range may still be sent again."""
    cdef list_t* held = &sender.sent
    if held.block == 0 or list_count(held) == 0:
        return
    sender.only = sent_ranges(pool, sender)[held.tail - 1]
    list_drop(pool, held)
    held.tail = 1
    sender.state |= FORGETFUL


# -- packets sent again

cdef inline again_t* add_again(pool_t* pool, list_t* held) noexcept nogil:
    """One more, to be filled in; the oldest goes if they are too many.  NULL without memory."""
    cdef int size = max(named_size(held.block) + 1, 2) if held.block else 0
    if held.tail == list_capacity(held):
        if held.head:
            list_pack(pool, held)
        elif size == AGAIN_SIZES or not list_grow(pool, held, size):
            if held.tail == 0:
                return NULL
            held.head = max(held.tail // 2, 1)
            list_pack(pool, held)
    held.tail += 1
    return again_packets(pool, held) + held.tail - 1


cdef inline again_t* find_again(const pool_t* pool, const list_t* held, uint64_t frame) noexcept nogil:
    """The packet of that frame, or NULL."""
    cdef again_t* packets = again_packets(pool, held)
    cdef uint32_t i
    for i in range(held.head, held.tail):
        if packets[i].sent.frame == frame:
            return &packets[i]
    return NULL
