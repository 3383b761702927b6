"""The RFC 9293 states of both ends of a connection from its captured segments alone.

A captured segment counts as sent and received at that moment.  Segments that were not captured are assumed
only where captured ones prove them; where those leave open what an endpoint did, its state is unknown.
``me`` is the sender of the segment, ``peer`` the other end.  docs/states.md gives the rules.
"""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t
from libc.string cimport memset

from tcpcore.flags cimport (
    ACK, CLOSE_WAIT, CLOSED, CLOSING, ESTABLISHED, FIN, FIN_WAIT_1, FIN_WAIT_2, LAST_ACK, LISTEN, RST, SYN,
    SYN_RECEIVED, SYN_SENT, TIME_WAIT, UNKNOWN)
from tcpcore.party cimport (
    ACK_KNOWN, ANSWERING, DOUBT_FIN, DOUBT_NOT, DOUBT_OTHER, DOUBT_RESET, DOUBT_SYN, EXPIRED, FIN_ACKED,
    FIN_COMBINED, FIN_FRESH, FIN_KNOWN, HIGH_KNOWN, KEPT_WHOLE, LEFT_FREE, NEXT_KNOWN, OPENED_ACTIVE, OPENED_BEFORE,
    OPENED_NOT, OPENED_PASSIVE, OPENED_PROVEN, RESET_SENT, SENT_ACK, SENT_DATA, SPOKE, SYNACK_SENT, SYN_ACKED,
    SYN_KNOWN, TAIL_KNOWN, WHOLE, begin, cover, forget_beyond, has, near, party_t, prove, receive)
from tcpcore.pool cimport pool_t
from tcpcore.records cimport segment_t
from tcpcore.seqnum cimport after

ctypedef struct scene_t:           # one segment and its connection
    const segment_t* row
    party_t* me
    party_t* peer
    pool_t* pool
    int64_t* fin_ns                # when the last FIN was sent or acknowledged: TIME-WAIT counts from there


cdef inline void observe(scene_t* s) noexcept nogil:
    cdef uint16_t flags = s.row.flags & (SYN | FIN | RST | ACK)
    if flags & RST:
        if not flags & SYN:
            reset(s)
    elif flags & SYN:
        if not flags & FIN:
            if flags & ACK:
                agree(s)
            else:
                open_actively(s)
    elif flags & ACK:
        if s.me.gone:
            revive(s.me)
        speak(s)


cdef inline void expire(party_t* party, int64_t waited, int64_t limit) noexcept nogil:
    """TIME-WAIT lasts twice the maximum segment lifetime (RFC 9293 section 3.6.1)."""
    if party.state == TIME_WAIT and waited >= limit:
        party.gone, party.state = CLOSED, CLOSED
        party.bits |= EXPIRED


cdef inline void revive(party_t* me) noexcept nogil:
    """An endpoint that still sends had not ended as it seemed."""
    if has(me, EXPIRED):
        me.gone = 0
        me.bits &= ~<uint32_t> EXPIRED
    elif has(me, RESET_SENT):
        me.gone, me.doubt = 0, DOUBT_RESET
        me.bits &= ~<uint32_t> RESET_SENT


# -- opening

cdef inline void prove_open(party_t* party, uint32_t ack) noexcept nogil:
    """An acknowledgement proves a SYN that was not captured."""
    party.opened = OPENED_PROVEN
    party.syn = <int64_t> ack - 1
    party.bits |= SYN_KNOWN


cdef inline void clear(pool_t* pool, party_t* party, uint8_t opened) noexcept nogil:
    cdef uint32_t bits = party.bits & (SENT_ACK | SENT_DATA | ANSWERING | KEPT_WHOLE | LEFT_FREE)
    cdef uint32_t largest = party.largest
    cdef uint16_t datagram = party.datagram
    cdef uint8_t client = party.client
    forget_beyond(pool, party)
    memset(party, 0, sizeof(party_t))
    party.opened, party.bits, party.client = opened, bits, client
    party.largest, party.datagram = largest, datagram


cdef inline void open_actively(scene_t* s) noexcept nogil:
    cdef bint again = s.me.gone and s.peer.gone
    if again:
        clear(s.pool, s.me, OPENED_NOT)
        clear(s.pool, s.peer, OPENED_NOT)
    take_syn(s, OPENED_ACTIVE)
    if again:                          # another try, or one that crossed the reset; does the other end listen now?
        s.me.doubt = s.peer.doubt = DOUBT_OTHER
    if has(s.me, SYN_ACKED) and not has(s.me, SPOKE):
        s.me.doubt = DOUBT_SYN


cdef inline void agree(scene_t* s) noexcept nogil:
    """SYN+ACK."""
    cdef party_t* me = s.me
    cdef party_t* peer = s.peer
    cdef int64_t ack
    if peer.opened == OPENED_NOT:
        prove_open(peer, s.row.ack_raw)
        begin(peer, s.row.ack_raw, True)
    ack = near(peer, s.row.ack_raw)
    if peer.opened == OPENED_BEFORE or peer.gone or me.gone:
        return
    if has(peer, SYN_KNOWN) and not peer.syn < ack <= peer.high:
        if me.opened == OPENED_NOT:
            me.doubt = DOUBT_OTHER
        return
    if not take_syn(s, OPENED_PASSIVE):
        return
    me.doubt = DOUBT_SYN if me.bits & (SYNACK_SENT | SYN_ACKED | SPOKE) == SYNACK_SENT | SYN_ACKED else DOUBT_NOT
    me.ack = max(ack, me.ack) if has(me, ACK_KNOWN) else ack
    me.bits |= SYNACK_SENT | ACK_KNOWN
    peer.bits |= SYN_ACKED
    if not has(peer, SPOKE):
        peer.doubt = DOUBT_NOT
        forget_beyond(s.pool, peer)    # data that came with the SYN and is not acknowledged was dropped
        peer.edge = ack


cdef inline bint take_syn(scene_t* s, uint8_t kind) noexcept nogil:
    """False when it is not the SYN of this connection."""
    cdef party_t* me = s.me
    if me.opened:
        if has(me, SYN_KNOWN) and near(me, s.row.seq_raw) == me.syn:
            if me.opened == OPENED_PROVEN:
                me.opened = kind
            return True
        if kind == OPENED_ACTIVE or has(me, SPOKE) or me.opened > OPENED_PASSIVE:
            return False
    clear(s.pool, me, kind)
    me.syn = s.row.seq_raw
    me.bits |= SYN_KNOWN
    begin(me, me.syn + 1, True)
    if s.row.payload_len:
        me.high += s.row.payload_len
        cover(s.pool, me, me.syn + 1, me.high)
    return True


# -- everything after the handshake

cdef inline void speak(scene_t* s) noexcept nogil:
    cdef party_t* me = s.me
    cdef party_t* peer = s.peer
    cdef const segment_t* row = s.row
    cdef int64_t ack, start, end, high
    cdef bint fresh_ack, old, taken
    cdef uint32_t before
    if (me.opened == OPENED_NOT or peer.opened == OPENED_NOT) and not synchronized(s):
        return
    if not has(me, HIGH_KNOWN):
        begin(me, row.seq_raw, False)
    if not has(peer, HIGH_KNOWN):
        begin(peer, row.ack_raw, False)
    ack, start = near(peer, row.ack_raw), near(me, row.seq_raw)
    fresh_ack = has(me, ACK_KNOWN) and ack > me.ack
    end = start + row.payload_len
    high, before = me.high, me.bits
    old = me.edge > start and me.edge >= end + (row.flags & FIN != 0)
    if (me.opened == OPENED_ACTIVE or row.payload_len or row.flags & FIN or not has(peer, SYN_KNOWN)
            or ack > peer.syn + 1):
        me.bits |= SPOKE
        if me.doubt == DOUBT_SYN:
            me.doubt = DOUBT_NOT
    taken = peer.doubt != DOUBT_SYN or peer.opened != OPENED_ACTIVE    # SYN-SENT drops whatever is no SYN
    if not has(me, FIN_KNOWN) or end <= me.fin:
        advance(s, start, end, fresh_ack, taken)
    if row.flags & FIN:
        finish(s, end, ack, high, before, taken)
    acknowledge(s, ack, old)


cdef inline bint synchronized(scene_t* s) noexcept nogil:
    """What a segment without SYN proves of the handshake; False if it is no part of it."""
    cdef party_t* me = s.me
    cdef party_t* peer = s.peer
    cdef int64_t ack
    if me.opened == peer.opened:
        me.opened = peer.opened = OPENED_BEFORE
        me.bits |= SYN_ACKED
        peer.bits |= SYN_ACKED
    elif peer.opened == OPENED_NOT:
        prove_open(peer, s.row.ack_raw)
        begin(peer, s.row.ack_raw, peer.doubt == DOUBT_NOT and near(me, s.row.seq_raw) == me.syn + 1)
        peer.doubt = DOUBT_NOT
        me.bits |= SYN_ACKED
    else:
        ack = near(peer, s.row.ack_raw)
        if has(peer, SYN_KNOWN) and not peer.syn < ack <= peer.high:
            me.doubt = DOUBT_OTHER
            if ack > peer.high:
                peer.doubt = DOUBT_SYN  # it went on unseen, or this answers an older connection
            return False
        me.opened, me.doubt = OPENED_PROVEN, DOUBT_NOT
        me.bits |= SYN_ACKED
        peer.bits |= SYN_ACKED
        peer.doubt = DOUBT_SYN         # whether the unseen SYN+ACK has arrived shows when it answers
    return True


cdef inline void advance(scene_t* s, int64_t start, int64_t end, bint fresh_ack, bint taken) noexcept nogil:
    cdef party_t* me = s.me
    if start == end:
        prove(me, start)
        if start == me.high and fresh_ack:
            me.bits |= NEXT_KNOWN
        return
    if taken:
        cover(s.pool, me, start, end)
    if end >= me.high:
        me.high = end
        me.bits |= TAIL_KNOWN


cdef inline void finish(scene_t* s, int64_t fin, int64_t ack, int64_t high, uint32_t before,
                        bint taken) noexcept nogil:
    """``high`` and the bits ``before`` are those without this segment."""
    cdef party_t* me = s.me
    if not before & FIN_KNOWN:
        if fin < high - 1 or (fin == high - 1 and before & TAIL_KNOWN):
            return
        me.fin, me.fin_ack = fin, <uint32_t> ack
        me.bits |= FIN_KNOWN
        if before & NEXT_KNOWN and fin >= high:
            me.bits |= FIN_FRESH
        if s.peer.bits & (FIN_KNOWN | FIN_ACKED) == FIN_KNOWN and ack == s.peer.fin + 1:
            me.bits |= FIN_COMBINED
        me.high = max(me.high, fin + 1)
    elif fin != me.fin:
        return
    elif has(me, FIN_ACKED):
        me.doubt = DOUBT_FIN
    if taken:
        cover(s.pool, me, fin, fin + 1)
    s.fin_ns[0] = s.row.time_ns


cdef inline void acknowledge(scene_t* s, int64_t ack, bint old) noexcept nogil:
    cdef party_t* me = s.me
    cdef party_t* peer = s.peer
    if has(peer, FIN_KNOWN) and ack > peer.fin + 1:
        return
    if has(peer, SYN_KNOWN) and ack <= peer.syn:
        return
    prove(peer, ack)
    receive(s.pool, peer, ack)
    me.ack = max(me.ack, ack) if has(me, ACK_KNOWN) else ack
    me.bits |= ACK_KNOWN
    peer.bits |= SYN_ACKED
    if peer.doubt == DOUBT_SYN and has(peer, SYNACK_SENT):
        peer.doubt = DOUBT_NOT
    if has(peer, FIN_KNOWN) and ack == peer.fin + 1:
        acknowledge_fin(s, old)


cdef inline void acknowledge_fin(scene_t* s, bint old) noexcept nogil:
    cdef party_t* peer = s.peer
    if old and not has(peer, FIN_ACKED):
        if not peer.doubt:
            peer.doubt = DOUBT_FIN     # RFC 9293 section 3.10.7.4 drops it unread, many endpoints do not
        return
    if not has(peer, FIN_ACKED):
        s.fin_ns[0] = s.row.time_ns
    peer.bits |= FIN_ACKED
    if peer.doubt == DOUBT_FIN:
        peer.doubt = DOUBT_NOT


# -- resets

cdef inline void reset(scene_t* s) noexcept nogil:
    cdef party_t* me = s.me
    cdef party_t* peer = s.peer
    cdef bint acks = s.row.flags & ACK != 0, exact, beyond
    if peer.opened and not me.opened and not has(peer, SYN_ACKED):
        refuse(s, acks)
        return
    if me.opened and not peer.opened and peer.doubt:
        return                         # SYN-SENT answers an unacceptable acknowledgement (section 3.10.7.3)
    if acks and peer.opened == OPENED_ACTIVE and not has(peer, SYN_ACKED) and not peer.gone:
        peer.doubt = DOUBT_RESET       # crossing SYNs: SYN-SENT takes this reset, SYN-RECEIVED does not
    if me.opened == OPENED_ACTIVE and not has(me, SYN_ACKED) and near(me, s.row.seq_raw) != me.high:
        me.doubt = DOUBT_OTHER         # a refusal sent before its own SYN
        if not peer.doubt:
            peer.doubt = DOUBT_RESET
        return
    exact = has(me, HIGH_KNOWN) and near(me, s.row.seq_raw) == me.edge and me.edge == me.high
    beyond = not has(me, HIGH_KNOWN) or near(me, s.row.seq_raw) >= me.edge
    if not me.gone:
        me.gone = CLOSED
    me.bits = me.bits & ~<uint32_t> EXPIRED | RESET_SENT
    if peer.gone and not has(peer, RESET_SENT):
        return
    if exact:
        end_by_reset(s, acks)
    elif beyond and not peer.gone:
        peer.doubt = DOUBT_RESET


cdef inline void refuse(scene_t* s, bint acks) noexcept nogil:
    """A reset instead of a SYN+ACK."""
    cdef int64_t ack = near(s.peer, s.row.ack_raw)
    if acks and has(s.peer, SYN_KNOWN) and s.peer.syn < ack <= s.peer.high:
        s.me.gone = s.peer.gone = CLOSED
        s.me.bits |= RESET_SENT
        return
    s.me.doubt = DOUBT_OTHER
    if not s.peer.doubt:
        s.peer.doubt = DOUBT_SYN


cdef inline void end_by_reset(scene_t* s, bint acks) noexcept nogil:
    cdef party_t* peer = s.peer
    if peer.opened == OPENED_PASSIVE and (peer.doubt == DOUBT_SYN
                                          or peer.doubt == DOUBT_RESET and not has(peer, SYN_ACKED)):
        return
    if state_of(peer, s.me) != SYN_RECEIVED or peer.opened not in (OPENED_NOT, OPENED_PASSIVE):
        if not peer.gone:
            peer.gone = CLOSED
    elif acks:
        peer.doubt = DOUBT_RESET       # who resets with an ACK has answered the SYN+ACK before, unseen
    else:
        peer.gone = LISTEN


# -- states

cdef inline uint8_t state_of(const party_t* me, const party_t* peer) noexcept nogil:
    """The state of ``me`` (RFC 9293 figure 5) from what is known of both."""
    if me.gone:
        return me.gone
    if me.doubt or not (me.opened or peer.opened):
        return UNKNOWN
    if not peer.opened:
        return SYN_SENT
    if not has(me, FIN_KNOWN) and not (me.opened and has(me, SYN_ACKED)):
        return SYN_RECEIVED
    return later_state(me, peer)


cdef inline uint8_t later_state(const party_t* me, const party_t* peer) noexcept nogil:
    if not has(me, FIN_KNOWN) and me.bits & WHOLE != WHOLE:
        return UNKNOWN
    if not has(peer, FIN_KNOWN):
        if peer.bits & WHOLE != WHOLE:
            return UNKNOWN
        if not has(me, FIN_KNOWN):
            return ESTABLISHED
        return FIN_WAIT_2 if has(me, FIN_ACKED) else FIN_WAIT_1
    if peer.edge <= peer.fin:
        return UNKNOWN                 # a FIN behind a gap: received only when the gap is filled
    if not has(me, FIN_KNOWN):
        return CLOSE_WAIT
    if not after(me.fin_ack, <uint32_t> peer.fin):
        return TIME_WAIT if has(me, FIN_ACKED) else CLOSING
    if not has(me, FIN_FRESH):
        return UNKNOWN
    return CLOSED if has(me, FIN_ACKED) else LAST_ACK
