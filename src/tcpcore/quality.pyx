"""What in a capture would mislead whoever reads it, counted segment by segment.

Sequence numbers are the unwrapped relative ones.  A stream's holes are what was not captured below the
highest number seen; one that the receiver acknowledges was sent all the same: the capture lost it.
"""
from libc.stdint cimport int64_t, uint32_t, uint64_t
from libc.stdlib cimport calloc, free
from libc.string cimport memset

from tcpcore.batch cimport Batch, segment_at
from tcpcore.census cimport as_tuple, examples_t, note
from tcpcore.flags cimport (
    ACK, BOGUS_HEADER_LENGTH, FIN, HAS_CHECKSUM, HAS_LEN, HAS_MSS, HAS_SEQ, HEADER_CUT, OPTIONS_CUT, PORTS_ONLY, QUOTED,
    RST, STREAM_CREATED, SYN)
from tcpcore.flowkey cimport fold
from tcpcore.flows cimport NO_SLOT
from tcpcore.growable cimport grow, release
from tcpcore.offload cimport is_super_segment
from tcpcore.prefetch cimport prefetch_write
from tcpcore.records cimport segment_t
from tcpcore.seqnum cimport MAX_WINDOW, segment_len

cdef enum:
    AHEAD = 12                     # rows
    COPY_WINDOW = 10_000_000       # ns: a mirror's copy comes within microseconds, a retransmission hardly within this
    MANY = 3                       # segments that answer an end from which there is none


cdef inline void lose(quality_t* q, coverage_t* sender, int hole, uint64_t frame) noexcept nogil:
    sender.acked |= 1 << hole
    q.missing_bytes += sender.end[hole] - sender.start[hole]
    note(&q.losses, frame)


cdef inline int add_hole(coverage_t* sender, int64_t start, int64_t end) noexcept nogil:
    cdef int hole = sender.next_hole
    sender.next_hole = (hole + 1) % HOLES
    sender.start[hole], sender.end[hole] = start, end
    sender.acked &= ~(1 << hole)
    return hole


cdef void fill(quality_t* q, coverage_t* sender, int64_t start, int64_t end) noexcept nogil:
    """Data below ``high``: what it fills was not lost, only late."""
    cdef int hole, rest
    cdef int64_t left, right, stop
    for hole in range(HOLES):
        left, right = max(start, sender.start[hole]), min(end, sender.end[hole])
        if left >= right:
            continue
        stop = sender.end[hole]
        if sender.acked & 1 << hole:
            q.missing_bytes -= right - left
            if left == sender.start[hole] and right == stop:
                q.losses.count -= 1
        if left > sender.start[hole] and right < stop:
            sender.end[hole] = left
            rest = add_hole(sender, right, stop)
            if sender.acked & 1 << hole and rest != hole:
                sender.acked |= 1 << rest
                q.losses.count += 1
        elif left > sender.start[hole]:
            sender.end[hole] = left
        else:
            sender.start[hole] = right


cdef inline void send(quality_t* q, coverage_t* sender, int64_t start, int64_t end) noexcept nogil:
    if not sender.known:
        sender.known = True
        sender.high = start
    if start < sender.high:
        fill(q, sender, start, end)
    elif start > sender.high:
        if start - sender.high > MAX_WINDOW:         # a forged or broken number
            return
        add_hole(sender, sender.high, start)
    sender.high = max(sender.high, end)


cdef inline void acknowledge(quality_t* q, coverage_t* sender, int64_t number, uint64_t frame) noexcept nogil:
    """The other end has everything below ``number``."""
    cdef int hole
    cdef int64_t end
    if not sender.known or number - sender.high > MAX_WINDOW:
        return
    for hole in range(HOLES):
        if sender.start[hole] < min(sender.end[hole], number) and not sender.acked & 1 << hole:
            end = sender.end[hole]
            sender.end[hole] = min(end, number)
            lose(q, sender, hole, frame)
            if end > number:
                add_hole(sender, number, end)
    if number > sender.high:
        lose(q, sender, add_hole(sender, sender.high, number), frame)
        sender.high = number


cdef inline uint64_t fingerprint(const segment_t* row) noexcept nogil:
    """The same for copies of one packet, whatever routers and switches changed."""
    cdef uint64_t ends = fold(row.src_lo ^ 0x9E3779B97F4A7C15ULL, row.dst_lo ^ 0xC2B2AE3D27D4EB4FULL) \
        ^ fold(row.src_hi ^ 0x165667B19E3779F9ULL, row.dst_hi ^ 0x27D4EB2F165667C5ULL)
    cdef uint64_t numbers = fold((<uint64_t> row.seq_raw << 32 | row.ack_raw) ^ 0x85EBCA77C2B2AE63ULL,
                                 (<uint64_t> row.tsval << 32 | row.tsecr) ^ 0x9FB21C651E98DF25ULL)
    cdef uint64_t rest = fold((<uint64_t> row.src_port << 48 | <uint64_t> row.dst_port << 32 | row.payload_len)
                              ^ 0xFF51AFD7ED558CCDULL,
                              (<uint64_t> row.flags << 48 | <uint64_t> row.window << 32 | <uint64_t> row.ip_id << 16
                               | row.checksum) ^ 0xC4CEB9FE1A85EC53ULL)
    return fold(ends ^ numbers, rest | 1) ^ numbers


cdef inline void compare_with_copies(quality_t* q, copy_t* copies, const segment_t* row) noexcept nogil:
    """Packets without data are told apart by the IP identification only."""
    cdef uint64_t mark
    cdef copy_t* seen
    if row.ip_id == 0 and row.payload_len == 0 and not row.flags & (SYN | FIN):
        return
    mark = fingerprint(row)
    seen = copies + (mark & (COPIES - 1))
    if seen.fingerprint == mark and 0 <= row.time_ns - seen.time_ns <= COPY_WINDOW:
        note(&q.duplicates, row.frame)
        if seen.ttl != row.ttl or seen.vlan != row.vlan or seen.interface_id != row.interface_id:
            q.duplicates_elsewhere += 1
    seen.fingerprint, seen.time_ns = mark, row.time_ns
    seen.interface_id, seen.vlan, seen.ttl = row.interface_id, row.vlan, row.ttl


cdef inline uint32_t words(uint64_t number) noexcept nogil:
    return <uint32_t> ((number & 0xFFFF) + (number >> 16 & 0xFFFF) + (number >> 32 & 0xFFFF) + (number >> 48))


cdef inline uint32_t folded(uint32_t total) noexcept nogil:
    total = (total & 0xFFFF) + (total >> 16)
    return (total & 0xFFFF) + (total >> 16)


cdef inline void look_at_checksum(quality_t* q, const segment_t* row) noexcept nogil:
    """A sender that leaves the checksum to its network card has filled in only the pseudo-header's sum, or nothing."""
    cdef uint32_t length = row.hdr_len + row.payload_len
    cdef uint32_t ends = words(<uint32_t> row.src_lo) + words(<uint32_t> row.dst_lo) + 6
    if row.ip_version == 6:
        ends = words(row.src_hi) + words(row.src_lo) + words(row.dst_hi) + words(row.dst_lo) + 6
    q.checksums += 1
    if row.checksum == 0 or row.checksum == folded(ends + words(length)) or row.checksum == folded(ends):
        note(&q.unfilled_checksums, row.frame)


cdef inline void look_at_length(quality_t* q, const segment_t* row, uint32_t mss) noexcept nogil:
    """``mss``: that of the receiver, 0 if unknown."""
    if is_super_segment(row, mss):
        note(&q.super_segments, row.frame)
    if row.payload_captured < row.payload_len:
        note(&q.cut_payloads, row.frame)


cdef inline bint is_one_sided(const talk_t* talk) noexcept nogil:
    """One end answers, again and again, an end from which there is no segment."""
    return (talk.sender[0].answers >= MANY and talk.sender[1].seen == 0
            or talk.sender[1].answers >= MANY and talk.sender[0].seen == 0)


cdef inline void look_at(quality_t* q, talk_t* talk, const segment_t* row) noexcept nogil:
    cdef coverage_t* sender = &talk.sender[row.direction]
    cdef coverage_t* receiver = &talk.sender[1 - row.direction]
    if talk.first_frame == 0:
        talk.first_frame = row.frame
        q.flows += 1
        if not row.flags & (SYN | RST):
            note(&q.begun_before, row.frame)
    q.payload_bytes += row.payload_len
    if row.present & HAS_MSS and row.flags & SYN:
        sender.mss = row.mss
    look_at_length(q, row, receiver.mss)
    if row.present & HAS_CHECKSUM:
        look_at_checksum(q, row)
    sender.seen = True
    if row.flags & RST:                # its numbers need not be the stream's
        return
    send(q, sender, row.seq64, row.seq64 + segment_len(row.payload_len, row.flags))
    if row.flags & ACK:
        acknowledge(q, receiver, row.ack64, row.frame)
        sender.answers += sender.answers < MANY


cdef void look_at_rows(quality_t* q, talk_t* talks, copy_t* copies, char* rows, Py_ssize_t stride,
                       const uint32_t* slots, Py_ssize_t n) noexcept nogil:
    cdef Py_ssize_t i
    cdef segment_t* row
    cdef talk_t* talk
    for i in range(n):
        if i + AHEAD < n and slots[i + AHEAD] != NO_SLOT:
            prefetch_write(talks + slots[i + AHEAD])
            prefetch_write(<char*> (talks + slots[i + AHEAD]) + 64)
        row = segment_at(rows, stride, i)
        if row.events & STREAM_CREATED and slots[i] != NO_SLOT:
            talk = talks + slots[i]
            if is_one_sided(talk):
                note(&q.one_sided, talk.first_frame)
            memset(talk, 0, sizeof(talk_t))
        if row.damage & QUOTED:
            continue
        q.segments += 1
        if row.damage & (PORTS_ONLY | HEADER_CUT | OPTIONS_CUT):
            note(&q.cut_headers, row.frame)
        if row.present & HAS_SEQ and row.present & HAS_LEN and slots[i] != NO_SLOT \
                and not row.damage & BOGUS_HEADER_LENGTH:
            compare_with_copies(q, copies, row)
            look_at(q, talks + slots[i], row)


SLOT_BYTES = sizeof(talk_t)      # for each stream


cdef class Quality:
    """Takes in the batches of one pass; each finding is (count, numbers of the first frames)."""

    def __cinit__(self):
        memset(&self.found, 0, sizeof(quality_t))
        self.copies = <copy_t*> calloc(COPIES, sizeof(copy_t))
        if self.copies == NULL:
            raise MemoryError

    def __dealloc__(self):
        free(self.copies)
        release(&self.talks)

    def process(self, Batch batch not None):
        """After ``flows.process``."""
        self.n_slots = batch.n_slots
        if grow(&self.talks, batch.n_slots * sizeof(talk_t)):
            raise MemoryError
        with nogil:
            look_at_rows(&self.found, <talk_t*> self.talks.data, self.copies, batch.rows, batch.stride, batch.slots,
                         batch.n_rows)

    def findings(self):
        """Each finding by its name."""
        return {
            "cut_payloads": as_tuple(&self.found.cut_payloads),
            "cut_headers": as_tuple(&self.found.cut_headers),
            "super_segments": as_tuple(&self.found.super_segments),
            "duplicates": as_tuple(&self.found.duplicates),
            "losses": as_tuple(&self.found.losses),
            "unfilled_checksums": as_tuple(&self.found.unfilled_checksums),
            "begun_before": as_tuple(&self.found.begun_before),
            "one_sided": self._one_sided(),
        }

    cdef object _one_sided(self):
        cdef Py_ssize_t slot
        cdef examples_t seen = self.found.one_sided
        cdef talk_t* talks = <talk_t*> self.talks.data
        for slot in range(self.n_slots):
            if is_one_sided(talks + slot):
                note(&seen, talks[slot].first_frame)
        return as_tuple(&seen)

    @property
    def segments(self):
        """All of them, damaged ones too; not those quoted in ICMP errors."""
        return self.found.segments

    @property
    def flows(self):
        """Streams with a segment."""
        return self.found.flows

    @property
    def payload_bytes(self):
        """Of all segments."""
        return self.found.payload_bytes

    @property
    def missing_bytes(self):
        """Sequence numbers acknowledged but not captured."""
        return self.found.missing_bytes

    @property
    def duplicates_elsewhere(self):
        """Duplicates whose TTL, VLAN or interface differs from the first copy's."""
        return self.found.duplicates_elsewhere

    @property
    def checksums(self):
        """Segments whose checksum was looked at."""
        return self.found.checksums
