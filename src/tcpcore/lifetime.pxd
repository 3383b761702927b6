"""What is noted of a stream's beginning and end: times, counts, options, and Zeek's history letters."""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t

from tcpcore.flags cimport (
    ACK, CWR, ECE, FIN, HAS_MSS, HAS_SACK_PERMITTED, HAS_TFO_COOKIE, HAS_TIMESTAMPS, HAS_WSCALE, OFFER_ECN,
    OFFER_FAST_OPEN, OFFER_MSS, OFFER_SACK, OFFER_TIMESTAMPS, OFFER_WINDOW_SCALE, RST, SYN)
from tcpcore.records cimport segment_t
from tcpcore.side cimport ACK_KNOWN, FIN_KNOWN, SYN_KNOWN, has, side_t

cdef enum:
    LETTERS = 23                   # one less than the record has room for: ^ may come first

cdef enum Seen:                    # opening_t.seen and closing_t.seen; shifted left by the direction
    SEEN_SYN = 1
    SEEN_SYNACK = 4
    SEEN_EARLY_DATA = 16           # a SYN+ACK acknowledged data of the SYN; not shifted
    SEEN_FIN = 1
    SEEN_RST = 4
    SEEN_MIXED = 16                # SYN with FIN or RST
    SEEN_INCONSISTENT = 64         # FIN with RST

ctypedef struct opening_t:
    int64_t syn_ns, syn_sent_ns
    int64_t synack_ns, synack_sent_ns
    int64_t ack_ns
    int64_t[2] backoff_first       # of SYN, of SYN+ACK
    int64_t[2] backoff_last
    uint32_t[2] sent               # SYNs, SYN+ACKs
    uint32_t[2] syn_seq            # of the last SYN in each direction
    uint8_t[LETTERS] history       # as if the stream's first sender were the client
    uint8_t n_letters
    uint16_t[2] mss
    uint8_t[2] wscale
    uint8_t[2] offers
    uint8_t seen

ctypedef struct closing_t:
    int64_t request_ns, response_ns
    int64_t close_ns, closed_ns
    int64_t fin_ns                 # last FIN, or acknowledgement of one
    uint32_t[2] fin_seq
    uint32_t[2] rst_seq
    uint32_t[2] lost
    uint32_t[2] again              # counts behind the letters t, g, w
    uint32_t[2] gaps
    uint32_t[2] zero_windows
    uint32_t after_fin, after_reset
    uint8_t seen
    uint8_t closer                 # direction + 1; 0: nobody
    uint8_t resetter
    uint8_t refused
    uint8_t told                   # listed among the ended


cdef inline void letter(opening_t* opening, int direction, uint8_t upper) noexcept nogil:
    """Add to the history: capitals for the first sender."""
    if opening.n_letters < LETTERS:
        opening.history[opening.n_letters] = upper | <uint8_t> (direction << 5)
        opening.n_letters += 1


cdef inline void logged_letter(opening_t* opening, int direction, uint8_t upper, uint32_t* count) noexcept nogil:
    """The 1st, 10th, 100th ... time."""
    cdef uint32_t power = 1
    count[0] += count[0] != <uint32_t> -1
    while power < count[0] and power < 1_000_000_000:
        power *= 10
    if power == count[0]:
        letter(opening, direction, upper)


cdef inline void note_syn(opening_t* opening, const segment_t* row, int direction) noexcept nogil:
    """A SYN, or a SYN+ACK."""
    cdef bint acks = row.flags & ACK != 0
    cdef uint8_t bit = <uint8_t> ((SEEN_SYNACK if acks else SEEN_SYN) << direction)
    cdef int64_t* last = &opening.synack_sent_ns if acks else &opening.syn_sent_ns
    if not opening.seen & (SEEN_SYN | SEEN_SYNACK) << direction or row.seq_raw != opening.syn_seq[direction] \
            or not opening.seen & bit:
        letter(opening, direction, c'H' if acks else c'S')
    opening.seen |= bit
    opening.syn_seq[direction] = row.seq_raw
    read_offers(opening, row, direction)
    if acks and opening.synack_ns == 0:
        opening.synack_ns = row.time_ns
    elif not acks and opening.syn_ns == 0:
        opening.syn_ns = row.time_ns
    elif opening.sent[acks]:
        if opening.sent[acks] == 1:
            opening.backoff_first[acks] = row.time_ns - last[0]
        opening.backoff_last[acks] = row.time_ns - last[0]
    opening.sent[acks] += 1
    if opening.ack_ns == 0 and (acks or opening.synack_ns == 0):
        last[0] = row.time_ns


cdef inline void read_offers(opening_t* opening, const segment_t* row, int direction) noexcept nogil:
    cdef uint32_t present = row.present
    cdef uint16_t ecn = ECE if row.flags & ACK else ECE | CWR      # RFC 3168 section 6.1.1
    opening.mss[direction] = row.mss
    opening.wscale[direction] = row.wscale
    opening.offers[direction] = (
        OFFER_MSS * (present & HAS_MSS != 0) | OFFER_WINDOW_SCALE * (present & HAS_WSCALE != 0)
        | OFFER_SACK * (present & HAS_SACK_PERMITTED != 0) | OFFER_TIMESTAMPS * (present & HAS_TIMESTAMPS != 0)
        | OFFER_ECN * (row.flags & (ECE | CWR) == ecn) | OFFER_FAST_OPEN * (present & HAS_TFO_COOKIE != 0))


cdef inline void begin_close(closing_t* closing, const segment_t* row, int direction) noexcept nogil:
    if closing.closer == 0:
        closing.closer = <uint8_t> (direction + 1)
        closing.close_ns = row.time_ns


cdef inline void note_fin(opening_t* opening, closing_t* closing, const segment_t* row, int direction) noexcept nogil:
    cdef uint8_t bit = <uint8_t> (SEEN_FIN << direction)
    cdef uint32_t seq = row.seq_raw + row.payload_len
    if not closing.seen & bit or seq != closing.fin_seq[direction]:
        letter(opening, direction, c'F')
    closing.seen |= bit
    closing.fin_seq[direction] = seq
    begin_close(closing, row, direction)


cdef inline void note_reset(opening_t* opening, closing_t* closing, const segment_t* row, int direction,
                            const side_t* sides) noexcept nogil:
    cdef uint8_t bit = <uint8_t> (SEEN_RST << direction)
    cdef int d
    if not closing.seen & bit or row.seq_raw != closing.rst_seq[direction]:
        letter(opening, direction, c'R')
    closing.seen |= bit
    closing.rst_seq[direction] = row.seq_raw
    begin_close(closing, row, direction)
    if closing.resetter == 0:
        closing.resetter = <uint8_t> (direction + 1)
        for d in range(2):
            closing.lost[d] = in_flight(&sides[d], &sides[1 - d])
        if closing.closed_ns == 0:
            closing.closed_ns = row.time_ns


cdef inline uint32_t in_flight(const side_t* sender, const side_t* receiver) noexcept nogil:
    """Payload sent and not acknowledged."""
    cdef int64_t end = sender.high - has(sender, FIN_KNOWN)
    cdef int64_t start = receiver.ack if has(receiver, ACK_KNOWN) else sender.syn + 1
    if not has(receiver, ACK_KNOWN) and not has(sender, SYN_KNOWN):
        return 0
    return <uint32_t> max(end - start, 0)


cdef inline void note_mixed(opening_t* opening, closing_t* closing, const segment_t* row, int direction) noexcept nogil:
    """Flags that do not go together."""
    cdef uint8_t mixed = <uint8_t> (SEEN_MIXED << direction), inconsistent = <uint8_t> (SEEN_INCONSISTENT << direction)
    if row.flags & SYN and row.flags & (FIN | RST) and not closing.seen & mixed:
        closing.seen |= mixed
        letter(opening, direction, c'Q')
    if row.flags & (FIN | RST) == FIN | RST and not closing.seen & inconsistent:
        closing.seen |= inconsistent
        letter(opening, direction, c'I')
