"""What a capture has shown of one endpoint of a connection, and which of its bytes have arrived.

Positions are sequence numbers unwrapped to 64 bits from the first one seen.  All zero: nothing is known.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memmove

from tcpcore.pool cimport pool_at, pool_give_back, pool_t, pool_take
from tcpcore.seqnum cimport unwrap

cdef enum Opened:                  # its SYN
    OPENED_NOT = 0
    OPENED_ACTIVE = 1              # captured
    OPENED_PASSIVE = 2             # captured, with ACK
    OPENED_PROVEN = 3              # acknowledged, not captured
    OPENED_BEFORE = 4              # sent before the capture began

cdef enum Doubt:                   # why its state is unknown
    DOUBT_NOT = 0
    DOUBT_SYN = 1                  # what it answers to a SYN+ACK has not been seen
    DOUBT_FIN = 2                  # whether it took the acknowledgement of its FIN
    DOUBT_RESET = 3                # whether it took a reset
    DOUBT_OTHER = 4                # it sends what belongs to no connection seen

cdef enum PartyBit:
    SYN_KNOWN = 1 << 0             # `syn` is meaningful
    HIGH_KNOWN = 1 << 1            # `high` is meaningful
    ACK_KNOWN = 1 << 2             # `ack` is meaningful
    FIN_KNOWN = 1 << 3             # `fin` is meaningful
    SYN_ACKED = 1 << 4
    SYNACK_SENT = 1 << 5
    SPOKE = 1 << 6                 # sent something that only a synchronized endpoint sends
    NEXT_KNOWN = 1 << 7            # `high` was SND.NXT at some moment of the capture
    TAIL_KNOWN = 1 << 8            # what lies just below `high` was captured, and was no FIN
    FIN_FRESH = 1 << 9             # the first captured copy of its FIN was the first ever sent
    FIN_ACKED = 1 << 10
    EXPIRED = 1 << 11              # TIME-WAIT is over
    RESET_SENT = 1 << 12
    SENT_ACK = 1 << 13             # history has its letter a
    SENT_DATA = 1 << 14            # history has its letter d
    FIN_COMBINED = 1 << 15         # its FIN was the first to acknowledge the other end's
    ANSWERING = 1 << 16            # its next payload is the response
    KEPT_WHOLE = 1 << 17           # it sent datagrams whose IPv4 header says that they may not be fragmented
    LEFT_FREE = 1 << 18            # and others

cdef enum:
    WHOLE = NEXT_KNOWN | TAIL_KNOWN                # certainly no FIN has been sent, when none was captured
    MAX_BEYOND = 8                                 # ranges remembered behind a gap
    BEYOND_SIZE = 3                                # the pool's size of a block of so many

ctypedef struct range_t:
    int64_t start, end

# One cache line.
ctypedef struct party_t:
    int64_t syn
    int64_t edge                   # everything below was captured or acknowledged
    int64_t high                   # end of what was captured or proven
    int64_t ack                    # highest acknowledgement it sent
    int64_t fin
    uint32_t fin_ack               # acknowledgement on the first captured copy of its FIN
    uint32_t bits                  # PartyBit
    uint32_t beyond                # block of ranges behind a gap, sorted and apart; 0: none
    uint32_t largest               # payload
    uint8_t n_beyond
    uint8_t opened
    uint8_t doubt
    uint8_t gone                   # TcpState after its end
    uint8_t state                  # TcpState after the last segment
    uint8_t client                 # of the stream's first party: the client's direction; the other: ClientEvidence
    uint16_t datagram              # largest IP datagram


cdef inline bint has(const party_t* party, uint32_t bit) noexcept nogil:
    return party.bits & bit != 0


cdef inline int64_t near(const party_t* party, uint32_t number) noexcept nogil:
    """The position nearest to what is known that has this number."""
    if not has(party, HIGH_KNOWN):
        return number
    return unwrap(number, <uint32_t> party.high, party.high)


cdef inline void begin(party_t* party, int64_t position, bint known) noexcept nogil:
    party.edge = party.high = position
    party.bits |= HIGH_KNOWN
    party.bits = party.bits | WHOLE if known else party.bits & ~<uint32_t> WHOLE


cdef inline void prove(party_t* party, int64_t position) noexcept nogil:
    """``position`` is at most SND.NXT; what lies below and was not captured could hold a FIN."""
    if position > party.high:
        party.high = position
        party.bits &= ~<uint32_t> TAIL_KNOWN


# -- what has arrived

cdef inline void forget_beyond(pool_t* pool, party_t* party) noexcept nogil:
    if party.beyond:
        pool_give_back(pool, BEYOND_SIZE, party.beyond)
        party.beyond, party.n_beyond = 0, 0


cdef inline void receive(pool_t* pool, party_t* party, int64_t position) noexcept nogil:
    """Everything below ``position`` has arrived, and what was captured behind it."""
    if position > party.edge:
        party.edge = position
        if party.beyond:
            absorb(pool, party)


cdef inline void cover(pool_t* pool, party_t* party, int64_t start, int64_t end) noexcept nogil:
    """[start, end) has arrived."""
    if start <= party.edge:
        receive(pool, party, end)
    else:
        hold(pool, party, start, end)


cdef inline void absorb(pool_t* pool, party_t* party) noexcept nogil:
    cdef range_t* ranges = <range_t*> pool_at(pool, BEYOND_SIZE, party.beyond)
    cdef int n = 0
    while n < party.n_beyond and ranges[n].start <= party.edge:
        party.edge = max(party.edge, ranges[n].end)
        n += 1
    party.n_beyond -= <uint8_t> n
    if party.n_beyond == 0:
        forget_beyond(pool, party)
    elif n:
        memmove(ranges, ranges + n, party.n_beyond * sizeof(range_t))


cdef inline void hold(pool_t* pool, party_t* party, int64_t start, int64_t end) noexcept nogil:
    """Remember a range behind a gap; of too many the highest is forgotten, and so never taken for arrived."""
    cdef range_t* ranges
    cdef int first = 0, after, n = party.n_beyond
    if party.beyond == 0:
        party.beyond = pool_take(pool, BEYOND_SIZE)
        if party.beyond == 0:
            return
    ranges = <range_t*> pool_at(pool, BEYOND_SIZE, party.beyond)
    while first < n and ranges[first].end < start:
        first += 1
    after = first
    while after < n and ranges[after].start <= end:
        start, end = min(start, ranges[after].start), max(end, ranges[after].end)
        after += 1
    if first == MAX_BEYOND:
        return
    n = min(n, MAX_BEYOND - (after == first))
    memmove(ranges + first + 1, ranges + after, (n - after) * sizeof(range_t))
    ranges[first].start, ranges[first].end = start, end
    party.n_beyond = <uint8_t> (n - after + first + 1)
