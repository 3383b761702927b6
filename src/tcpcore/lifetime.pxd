"""What is noted of a stream's beginning and end: times, counts, options, and Zeek's history letters."""
from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from tcpcore.flags cimport (
    ACK, CWR, ECE, FIN, HAS_MSS, HAS_SACK_PERMITTED, HAS_TFO_COOKIE, HAS_TIMESTAMPS, HAS_WSCALE, OFFER_ECN,
    OFFER_FAST_OPEN, OFFER_MSS, OFFER_SACK, OFFER_TIMESTAMPS, OFFER_WINDOW_SCALE, RST, SYN)
from tcpcore.party cimport ACK_KNOWN, FIN_KNOWN, SYN_KNOWN, has, party_t
from tcpcore.pool cimport pool_own, pool_t
from tcpcore.records cimport segment_t

cdef enum:
    LETTERS = 23                   # one less than the record has room for: ^ may come first
    IN_A_WORD = 12                 # letters of 5 bits

cdef enum Letter:                  # of "SHADFRQIGTW"
    LETTER_SYN = 0
    LETTER_SYNACK = 1
    LETTER_ACK = 2
    LETTER_DATA = 3
    LETTER_FIN = 4
    LETTER_RST = 5
    LETTER_MIXED = 6
    LETTER_INCONSISTENT = 7
    LETTER_GAP = 8
    LETTER_AGAIN = 9
    LETTER_ZERO_WINDOW = 10
    SECOND_SENDER = 16             # beside it: small

cdef enum:
    LOGGED = LETTER_GAP            # this letter and the next ones stand for the 1st, 10th, 100th ... time

cdef enum Sent:                    # handshake_t.sent; shifted left by 1 for SYN+ACKs
    FIRST_TIMED = 1                # the first one was the last one before the answer, until a copy was
    COPY_TIMED = 4

cdef enum Opening:                 # course_t.opening; the first two shifted left by the direction
    SEEN_SYN = 1
    SEEN_SYNACK = 4
    SEEN_EARLY_DATA = 16           # a SYN+ACK acknowledged data of the SYN
    COMPLETED = 32                 # the handshake

cdef enum Closing:                 # course_t.closing; shifted left by the direction
    SEEN_FIN = 1
    SEEN_RST = 4
    SEEN_MIXED = 16                # SYN with FIN or RST
    SEEN_INCONSISTENT = 64         # FIN with RST

cdef enum End:                     # course_t.end; the first two times direction + 1
    CLOSER = 1
    RESETTER = 4
    REFUSED = 16
    TOLD = 32                      # listed among the ended

# One cache line.
ctypedef struct course_t:
    uint64_t[2] history            # Letters, as if the stream's first sender were the client
    int64_t close_ns, closed_ns
    int64_t fin_ns                 # last FIN, or acknowledgement of one
    uint32_t[2] syn_seq            # of the last SYN in each direction
    uint32_t[2] fin_seq
    uint32_t mishaps               # block of mishaps_t; 0: none
    uint8_t n_letters
    uint8_t opening
    uint8_t closing
    uint8_t end

# What only the handshakes table tells.
ctypedef struct handshake_t:
    int64_t[2] first_ns            # SYN, SYN+ACK
    int64_t ack_ns
    int64_t request_ns, response_ns
    uint32_t resent                # block of resent_t; 0: none
    uint16_t[2] mss
    uint8_t[2] wscale
    uint8_t[2] offers
    uint8_t sent                   # Sent bits

# Of a stream whose SYN or SYN+ACK was sent again; first SYNs, then SYN+ACKs.
ctypedef struct resent_t:
    int64_t[2] last_ns
    int64_t[2] last_asked_ns       # of those before the answer
    uint32_t[2] asked_stamp        # its tsval; 0: none
    int64_t[2] backoff_first
    int64_t[2] backoff_last
    uint32_t[2] copies

# Of a stream that lost or repeated something, closed its window, or was reset.
ctypedef struct mishaps_t:
    uint32_t[2] rst_seq
    uint32_t[2] lost
    uint32_t after_fin, after_reset
    uint32_t[6] counts             # behind logged letters, two each

# What is noted of one stream.
ctypedef struct life_t:
    course_t* course
    handshake_t* handshake         # NULL: nobody asks for it
    pool_t* resent
    pool_t* mishaps


cdef inline int closer_of(const course_t* course) noexcept nogil:
    """Who began to close: direction + 1; 0: nobody."""
    return course.end & 3 * CLOSER


cdef inline int resetter_of(const course_t* course) noexcept nogil:
    """Who sent the first RST: direction + 1; 0: nobody."""
    return (course.end & 3 * RESETTER) // RESETTER


cdef inline resent_t* resent_of(life_t* life) noexcept nogil:
    """NULL without memory."""
    return <resent_t*> pool_own(life.resent, &life.handshake.resent)


cdef inline mishaps_t* mishaps_of(life_t* life) noexcept nogil:
    """NULL without memory."""
    return <mishaps_t*> pool_own(life.mishaps, &life.course.mishaps)


cdef inline void letter(course_t* course, int direction, uint8_t which) noexcept nogil:
    """Add to the history."""
    cdef uint32_t n = course.n_letters
    if n < LETTERS:
        course.history[n // IN_A_WORD] |= <uint64_t> (which | SECOND_SENDER * direction) << 5 * (n % IN_A_WORD)
        course.n_letters += 1


cdef inline void logged_letter(life_t* life, int direction, uint8_t which) noexcept nogil:
    """The 1st, 10th, 100th ... time."""
    cdef mishaps_t* mishaps = mishaps_of(life)
    cdef uint32_t power = 1
    cdef uint32_t* count
    if mishaps == NULL:
        return
    count = &mishaps.counts[2 * (which - LOGGED) + direction]
    count[0] += count[0] != <uint32_t> -1
    while power < count[0] and power < 1_000_000_000:
        power *= 10
    if power == count[0]:
        letter(life.course, direction, which)


cdef inline void note_syn(life_t* life, const segment_t* row, int direction) noexcept nogil:
    """A SYN, or a SYN+ACK."""
    cdef course_t* course = life.course
    cdef bint acks = row.flags & ACK != 0
    cdef uint8_t kind = SEEN_SYNACK if acks else SEEN_SYN, bit = <uint8_t> (kind << direction)
    cdef uint8_t before = course.opening
    if not before & (SEEN_SYN | SEEN_SYNACK) << direction or row.seq_raw != course.syn_seq[direction] \
            or not before & bit:
        letter(course, direction, LETTER_SYNACK if acks else LETTER_SYN)
    course.opening |= bit
    course.syn_seq[direction] = row.seq_raw
    if life.handshake != NULL:
        read_offers(life.handshake, row, direction)
        # Of SYNs that cross (RFC 9293 figure 7) the first is the client's; the server's SYN+ACK answers it.
        if course.opening & 3 * SEEN_SYN != 3 * SEEN_SYN or acks == direction:
            time_syn(life, row, before & bit)


cdef inline void time_syn(life_t* life, const segment_t* row, bint is_copy) noexcept nogil:
    cdef handshake_t* handshake = life.handshake
    cdef bint acks = row.flags & ACK != 0
    cdef bint before_answer = not life.course.opening & COMPLETED and (acks or handshake.first_ns[1] == 0)
    if is_copy:
        note_copy(life, row, acks, before_answer)
    elif before_answer:
        handshake.sent |= <uint8_t> (FIRST_TIMED << acks)
    if not is_copy and handshake.first_ns[acks] == 0:
        handshake.first_ns[acks] = row.time_ns
        if acks:
            check_echo(life, row, 0)


cdef inline void check_echo(life_t* life, const segment_t* answer, bint acks) noexcept nogil:
    """Nothing is measured from the last SYN, or SYN+ACK, if the answer echoes another (RFC 7323 section 4)."""
    cdef handshake_t* handshake = life.handshake
    if handshake.sent & COPY_TIMED << acks and answer.present & HAS_TIMESTAMPS \
            and resent_of(life).asked_stamp[acks] != answer.tsecr:
        handshake.sent &= ~<uint8_t> ((FIRST_TIMED | COPY_TIMED) << acks)


cdef inline void note_copy(life_t* life, const segment_t* row, bint acks, bint before_answer) noexcept nogil:
    """Another one, and how long after the last."""
    cdef resent_t* resent = resent_of(life)
    cdef int64_t gap, time_ns = row.time_ns
    if resent == NULL:
        return
    gap = time_ns - (resent.last_ns[acks] if resent.copies[acks] else life.handshake.first_ns[acks])
    if resent.copies[acks] == 0:
        resent.backoff_first[acks] = gap
    resent.backoff_last[acks] = gap
    resent.last_ns[acks] = time_ns
    resent.copies[acks] += 1
    if before_answer:
        resent.last_asked_ns[acks] = time_ns
        resent.asked_stamp[acks] = row.tsval if row.present & HAS_TIMESTAMPS else 0
        life.handshake.sent |= <uint8_t> (COPY_TIMED << acks)


cdef inline int64_t last_sent(const handshake_t* handshake, const resent_t* resent, bint acks) noexcept nogil:
    """When the last SYN, or SYN+ACK, was sent before its answer; 0: none was."""
    if handshake.sent & COPY_TIMED << acks:
        return resent.last_asked_ns[acks]
    return handshake.first_ns[acks] if handshake.sent & FIRST_TIMED << acks else 0


cdef inline void read_offers(handshake_t* handshake, const segment_t* row, int direction) noexcept nogil:
    cdef uint32_t present = row.present
    cdef uint16_t ecn = ECE if row.flags & ACK else ECE | CWR      # RFC 3168 section 6.1.1
    handshake.mss[direction] = row.mss
    handshake.wscale[direction] = row.wscale
    handshake.offers[direction] = (
        OFFER_MSS * (present & HAS_MSS != 0) | OFFER_WINDOW_SCALE * (present & HAS_WSCALE != 0)
        | OFFER_SACK * (present & HAS_SACK_PERMITTED != 0) | OFFER_TIMESTAMPS * (present & HAS_TIMESTAMPS != 0)
        | OFFER_ECN * (row.flags & (ECE | CWR) == ecn) | OFFER_FAST_OPEN * (present & HAS_TFO_COOKIE != 0))


cdef inline void begin_close(course_t* course, const segment_t* row, int direction) noexcept nogil:
    if not closer_of(course):
        course.end |= <uint8_t> (CLOSER * (direction + 1))
        course.close_ns = row.time_ns


cdef inline void note_fin(life_t* life, const segment_t* row, int direction) noexcept nogil:
    cdef course_t* course = life.course
    cdef uint8_t bit = <uint8_t> (SEEN_FIN << direction)
    cdef uint32_t seq = row.seq_raw + row.payload_len
    if not course.closing & bit or seq != course.fin_seq[direction]:
        letter(course, direction, LETTER_FIN)
    course.closing |= bit
    course.fin_seq[direction] = seq
    begin_close(course, row, direction)


cdef inline void note_reset(life_t* life, const segment_t* row, int direction, const party_t* parties) noexcept nogil:
    cdef course_t* course = life.course
    cdef mishaps_t* mishaps = mishaps_of(life)
    cdef uint8_t bit = <uint8_t> (SEEN_RST << direction)
    cdef int d
    if not course.closing & bit or mishaps != NULL and row.seq_raw != mishaps.rst_seq[direction]:
        letter(course, direction, LETTER_RST)
    course.closing |= bit
    if mishaps != NULL:
        mishaps.rst_seq[direction] = row.seq_raw
    begin_close(course, row, direction)
    if not resetter_of(course):
        course.end |= <uint8_t> (RESETTER * (direction + 1))
        for d in range(2 if mishaps != NULL else 0):
            mishaps.lost[d] = in_flight(&parties[d], &parties[1 - d])
        if course.closed_ns == 0:
            course.closed_ns = row.time_ns


cdef inline uint32_t in_flight(const party_t* sender, const party_t* receiver) noexcept nogil:
    """Payload sent and not acknowledged."""
    cdef int64_t end = sender.high - has(sender, FIN_KNOWN)
    cdef int64_t start = receiver.ack if has(receiver, ACK_KNOWN) else sender.syn + 1
    if not has(receiver, ACK_KNOWN) and not has(sender, SYN_KNOWN):
        return 0
    return <uint32_t> max(end - start, 0)


cdef inline void note_mixed(life_t* life, const segment_t* row, int direction) noexcept nogil:
    """Flags that do not go together."""
    cdef course_t* course = life.course
    cdef uint8_t mixed = <uint8_t> (SEEN_MIXED << direction), inconsistent = <uint8_t> (SEEN_INCONSISTENT << direction)
    if row.flags & SYN and row.flags & (FIN | RST) and not course.closing & mixed:
        course.closing |= mixed
        letter(course, direction, LETTER_MIXED)
    if row.flags & (FIN | RST) == FIN | RST and not course.closing & inconsistent:
        course.closing |= inconsistent
        letter(course, direction, LETTER_INCONSISTENT)
