"""How connections live: the STATES part of the rows, and a LIFECYCLE record for each stream.

The states are inferred in inference.pxd, what happened at the beginning and the end is noted in lifetime.pxd.
"""
import numpy as np

from libc.stdint cimport INT64_MIN, int64_t, uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy, memset

from tcpcore.batch cimport Batch, released_t, segment_at
from tcpcore.ending cimport conn_state_of, outcome_of, teardown_of
from tcpcore.flags cimport (
    ACK, BOGUS_HEADER_LENGTH, DONT_FRAGMENT, FIN, HAS_LEN, MAY_FRAGMENT, MAY_NOT_FRAGMENT, QUOTED, RST, STREAM_CREATED,
    SYN, TIME_WAIT)
from tcpcore.flows cimport NO_SLOT, FlowTable, learn_client
from tcpcore.growable cimport grow, growable_t
from tcpcore.growable cimport release as release_memory
from tcpcore.inference cimport expire, observe, scene_t, state_of
from tcpcore.lifetime cimport (
    COMPLETED, IN_A_WORD, LETTER_ACK, LETTER_AGAIN, LETTER_DATA, LETTER_GAP, LETTER_ZERO_WINDOW, LETTERS, REFUSED,
    SECOND_SENDER, SEEN_EARLY_DATA, SEEN_SYN, SEEN_SYNACK, TOLD, check_echo, closer_of, course_t, handshake_t,
    last_sent, letter, life_t, logged_letter, mishaps_of, mishaps_t, note_fin, note_mixed, note_reset, note_syn,
    resent_t, resetter_of)
from tcpcore.party cimport (
    ANSWERING, FIN_ACKED, FIN_KNOWN, KEPT_WHOLE, LEFT_FREE, OPENED_ACTIVE, OPENED_BEFORE, OPENED_NOT, RESET_SENT,
    SENT_ACK, SENT_DATA, SPOKE, SYN_ACKED, forget_beyond, has, near, party_t, range_t)
from tcpcore.offload cimport is_super_segment
from tcpcore.pool cimport account, pool_at, pool_clear, pool_disown, pool_t
from tcpcore.prefetch cimport prefetch_write
from tcpcore.records cimport lifecycle_t, segment_t, states_t

from tcpcore.records import LIFECYCLE

cdef enum:
    STATE_AHEAD = 12               # rows ahead to fetch a stream's state
    BEYOND_LIMIT = 64 << 20        # bytes of ranges behind gaps, all streams together

ctypedef struct stage_t:
    growable_t parties             # party_t[2] by slot
    growable_t courses             # course_t by slot
    growable_t handshakes          # handshake_t by slot, if they are wanted
    pool_t pool                    # of range_t
    pool_t resent                  # of resent_t: one for a stream at most
    pool_t mishaps                 # of mishaps_t: one for a stream at most
    growable_t ended               # uint32_t: slots of the streams that came to their end in the last batch
    uint64_t n_ended
    int64_t time_wait_ns
    int64_t latest_ns
    bint handshakes_wanted


cdef class Lifecycle:
    """The states of both ends after each segment, and how each stream began and ended.

    ``msl_ns``: the maximum segment lifetime; TIME-WAIT lasts twice as long (RFC 9293 section 3.4.2).
    Without ``handshakes`` the times, offers and copies of SYNs, the first request and response, and the largest
    datagrams are not told.
    ``beyond_limit`` bounds the bytes spent on what was captured behind gaps.
    """

    cdef stage_t stage

    def __cinit__(self, *, int64_t msl_ns=120_000_000_000, bint handshakes=True, uint64_t beyond_limit=BEYOND_LIMIT):
        memset(&self.stage, 0, sizeof(stage_t))
        self.stage.parties.huge = self.stage.courses.huge = True
        self.stage.handshakes_wanted = handshakes
        self.stage.pool.entry = sizeof(range_t)
        self.stage.pool.limit = beyond_limit
        self.stage.resent.entry, self.stage.mishaps.entry = sizeof(resent_t), sizeof(mishaps_t)
        self.stage.resent.limit = self.stage.mishaps.limit = <uint64_t> -1
        self.stage.time_wait_ns = 2 * msl_ns
        self.stage.latest_ns = INT64_MIN         # there are times before 1970

    def __dealloc__(self):
        release_memory(&self.stage.parties)
        release_memory(&self.stage.courses)
        release_memory(&self.stage.handshakes)
        release_memory(&self.stage.ended)
        pool_clear(&self.stage.pool)
        pool_clear(&self.stage.resent)
        pool_clear(&self.stage.mishaps)

    cdef int reserve(self, Py_ssize_t n_slots) except -1:
        if (grow(&self.stage.parties, n_slots * 2 * sizeof(party_t))
                or grow(&self.stage.courses, n_slots * sizeof(course_t))
                or self.stage.handshakes_wanted and grow(&self.stage.handshakes, n_slots * sizeof(handshake_t))):
            raise MemoryError
        return 0

    cdef int release(self, Batch batch) except -1:
        """Let go of what the flow table has released; the LIFECYCLE rows go to the batch."""
        cdef const released_t* gone = <released_t*> batch.given_up.data
        cdef Py_ssize_t i, n = batch.n_released
        out = batch.released["lifecycle"] = np.zeros(n, LIFECYCLE)
        cdef lifecycle_t* rows = <lifecycle_t*> <size_t> out.ctypes.data
        with nogil:
            for i in range(n):
                write_record(&self.stage, gone[i].slot, gone[i].stream, &rows[i])
                let_go(&self.stage, gone[i].slot)
        return 0

    def process(self, Batch batch not None):
        """Fill the STATES part of the batch's rows, if it has one; after ``FlowTable.process``."""
        self.reserve(batch.n_slots)
        if grow(&self.stage.ended, batch.n_rows * sizeof(uint32_t)):
            raise MemoryError
        self.stage.n_ended = 0
        if batch.n_released:
            self.release(batch)
        with nogil:
            process_rows(&self.stage, batch.rows, batch.stride, batch.states_at, batch.slots, batch.n_rows)
        if self.stage.resent.refused or self.stage.mishaps.refused:    # these have no limit: what was lost is not told
            raise MemoryError

    @property
    def ended(self):
        """Slots of the streams that were closed by both ends, or reset, in the last batch."""
        slots = np.empty(self.stage.n_ended, np.uint32)
        if self.stage.n_ended:
            memcpy(<uint32_t*> <size_t> slots.ctypes.data, self.stage.ended.data,
                   self.stage.n_ended * sizeof(uint32_t))
        return slots

    def records(self, FlowTable flows not None, slots=None):
        """LIFECYCLE rows, one for each of ``flows.records(slots)``."""
        cdef const uint32_t[::1] chosen = flows.chosen(slots)
        cdef Py_ssize_t i
        self.reserve(flows.n_slots)
        out = np.zeros(chosen.shape[0], LIFECYCLE)
        cdef lifecycle_t* rows = <lifecycle_t*> <size_t> out.ctypes.data
        for i in range(chosen.shape[0]):
            write_record(&self.stage, chosen[i], flows.flows[chosen[i]].stream, &rows[i])
        return out

    @property
    def pools(self):
        """Bytes taken, bytes held, and times that more was refused, by what they are for."""
        return {"ranges behind gaps": account(&self.stage.pool)}

    @property
    def slot_bytes(self):
        """What a stream takes beside them, at most."""
        return (2 * sizeof(party_t) + sizeof(course_t) + sizeof(mishaps_t)
                + (sizeof(handshake_t) + sizeof(resent_t)) * self.stage.handshakes_wanted)


cdef void process_rows(stage_t* stage, char* rows, Py_ssize_t stride, Py_ssize_t at, const uint32_t* slots,
                       Py_ssize_t n_rows) noexcept nogil:
    cdef Py_ssize_t i
    cdef segment_t* row
    cdef states_t* out
    cdef states_t scratch
    cdef party_t* parties
    for i in range(n_rows):
        if i + STATE_AHEAD < n_rows and slots[i + STATE_AHEAD] != NO_SLOT:
            fetch(stage, segment_at(rows, stride, i + STATE_AHEAD), slots[i + STATE_AHEAD])
        row = segment_at(rows, stride, i)
        out = &scratch if at < 0 else <states_t*> (<char*> row + at)
        memset(out, 0, sizeof(states_t))
        if slots[i] != NO_SLOT:
            parties = <party_t*> stage.parties.data + 2 * <uint64_t> slots[i]
            follow(stage, row, slots[i], parties)
            out.client_state = parties[parties.client].state
            out.server_state = parties[1 - parties.client].state


cdef inline void fetch(const stage_t* stage, const segment_t* row, uint32_t slot) noexcept nogil:
    cdef party_t* parties = <party_t*> stage.parties.data + 2 * <uint64_t> slot
    prefetch_write(parties)
    prefetch_write(parties + 1)
    if row.flags & (SYN | FIN | RST):
        prefetch_write(<course_t*> stage.courses.data + slot)
    if row.flags & SYN and stage.handshakes_wanted:
        prefetch_write(<handshake_t*> stage.handshakes.data + slot)


cdef inline void follow(stage_t* stage, const segment_t* row, uint32_t slot, party_t* parties) noexcept nogil:
    cdef life_t life
    cdef course_t* course = <course_t*> stage.courses.data + slot
    cdef party_t* me = &parties[row.direction]
    cdef party_t* peer = &parties[1 - row.direction]
    cdef uint32_t acked
    cdef scene_t scene
    if row.events & STREAM_CREATED:
        parties.client = row.src_port < row.dst_port
    if not row.present & HAS_LEN or row.damage & (QUOTED | BOGUS_HEADER_LENGTH):
        return
    if row.flags & SYN:
        learn_client(row, row.direction, &parties[0].client, &parties[1].client)
    stage.latest_ns = max(stage.latest_ns, row.time_ns)
    if me.state == TIME_WAIT or peer.state == TIME_WAIT:
        expire(me, row.time_ns - course.fin_ns, stage.time_wait_ns)
        expire(peer, row.time_ns - course.fin_ns, stage.time_wait_ns)
    acked = me.bits & peer.bits & SYN_ACKED
    life.course = course
    life.handshake = <handshake_t*> stage.handshakes.data + slot if stage.handshakes_wanted else NULL
    life.resent, life.mishaps = &stage.resent, &stage.mishaps
    if stage.handshakes_wanted:
        look_at_datagram(life.handshake, row, me)
    write_history(&life, row, me, peer, parties)
    scene.row, scene.me, scene.peer, scene.pool, scene.fin_ns = row, me, peer, &stage.pool, &course.fin_ns
    observe(&scene)
    me.state, peer.state = state_of(me, peer), state_of(peer, me)
    if row.flags & (SYN | FIN | RST) or not acked or peer.bits & FIN_KNOWN:
        note_change(&life, row, me, peer, acked)
    if row.flags & (FIN | RST) or me.bits & peer.bits & FIN_ACKED:
        note_end_of_stream(stage, slot)


cdef inline void note_end_of_stream(stage_t* stage, uint32_t slot) noexcept nogil:
    cdef course_t* course = <course_t*> stage.courses.data + slot
    if course.closed_ns and not course.end & TOLD:
        course.end |= TOLD
        (<uint32_t*> stage.ended.data)[stage.n_ended] = slot
        stage.n_ended += 1


cdef inline void look_at_datagram(const handshake_t* handshake, const segment_t* row, party_t* me) noexcept nogil:
    cdef uint32_t freedom = KEPT_WHOLE if row.ip_flags & DONT_FRAGMENT else LEFT_FREE
    if row.ip_len > me.datagram or not me.bits & freedom:
        note_datagram(handshake.mss[1 - row.direction], row, me, freedom)


cdef void note_datagram(uint32_t mss, const segment_t* row, party_t* me, uint32_t freedom) noexcept nogil:
    """The largest that the path has let through, and whether it was allowed to cut it (RFC 1191)."""
    me.bits |= freedom
    if row.ip_len > me.datagram and not is_super_segment(row, mss):
        me.datagram = row.ip_len


cdef inline uint8_t fragmenting(const party_t* party) noexcept nogil:
    """MayFragment bits."""
    return MAY_NOT_FRAGMENT * has(party, KEPT_WHOLE) | MAY_FRAGMENT * has(party, LEFT_FREE)


cdef inline void write_history(life_t* life, const segment_t* row, party_t* me, party_t* peer,
                               const party_t* parties) noexcept nogil:
    """Zeek's letters and what goes with them, before the segment has changed anything."""
    cdef int direction = row.direction
    if row.flags & SYN:
        note_syn(life, row, direction)
    elif row.flags & ACK and peer.bits & SPOKE and near(peer, row.ack_raw) > peer.high:
        logged_letter(life, direction ^ 1, LETTER_GAP)
    if row.payload_len:
        note_payload(life, row, me, peer, parties)
    elif not row.flags & (SYN | FIN | RST) and not me.bits & SENT_ACK:
        me.bits |= SENT_ACK
        letter(life.course, direction, LETTER_ACK)
    if row.flags & (SYN | FIN | RST):
        note_end(life, row, parties)
    elif row.window == 0:
        logged_letter(life, direction, LETTER_ZERO_WINDOW)


cdef inline void note_payload(life_t* life, const segment_t* row, party_t* me, party_t* peer,
                              const party_t* parties) noexcept nogil:
    cdef int64_t start = near(me, row.seq_raw)
    cdef bint is_after_reset = (me.bits | peer.bits) & RESET_SENT or me.doubt | peer.doubt
    cdef bint is_after_fin = me.bits & FIN_KNOWN and start + row.payload_len > me.fin
    me.largest = max(me.largest, row.payload_len)
    if not me.bits & SENT_DATA:
        me.bits |= SENT_DATA
        letter(life.course, row.direction, LETTER_DATA)
        if row.direction == parties.client:
            peer.bits |= ANSWERING
            if life.handshake != NULL:
                life.handshake.request_ns = row.time_ns
    if me.bits & ANSWERING:
        me.bits &= ~<uint32_t> ANSWERING
        if life.handshake != NULL:
            life.handshake.response_ns = row.time_ns
    if start < me.edge and not row.flags & SYN:
        logged_letter(life, row.direction, LETTER_AGAIN)
    if is_after_fin or is_after_reset and resetter_of(life.course):
        note_late_payload(life, is_after_fin, is_after_reset and resetter_of(life.course) and not row.flags & RST)


cdef void note_late_payload(life_t* life, bint after_fin, bint after_reset) noexcept nogil:
    cdef mishaps_t* mishaps = mishaps_of(life)
    if mishaps != NULL:
        mishaps.after_fin += after_fin
        mishaps.after_reset += after_reset


cdef void note_end(life_t* life, const segment_t* row, const party_t* parties) noexcept nogil:
    if row.flags & FIN:
        note_fin(life, row, row.direction)
    if row.flags & RST:
        note_reset(life, row, row.direction, parties)
    note_mixed(life, row, row.direction)


cdef void note_change(life_t* life, const segment_t* row, const party_t* me, const party_t* peer,
                      uint32_t acked) noexcept nogil:
    """What the segment completed."""
    cdef course_t* course = life.course
    if not acked and me.bits & peer.bits & SYN_ACKED and me.opened != OPENED_BEFORE \
            and not course.opening & COMPLETED:
        course.opening |= COMPLETED
        if life.handshake != NULL:
            life.handshake.ack_ns = row.time_ns
            check_echo(life, row, 1)
    if row.flags & (SYN | ACK) == SYN | ACK and peer.edge > peer.syn + 1 and not peer.bits & SPOKE:
        course.opening |= SEEN_EARLY_DATA
    if me.bits & peer.bits & FIN_ACKED and course.closed_ns == 0:
        course.closed_ns = row.time_ns
    if row.flags & RST and me.opened == OPENED_NOT and peer.opened == OPENED_ACTIVE and peer.gone:
        course.end |= REFUSED


cdef void let_go(stage_t* stage, uint32_t slot) noexcept nogil:
    """Back to the start: all zero."""
    cdef party_t* parties = <party_t*> stage.parties.data + 2 * <uint64_t> slot
    forget_beyond(&stage.pool, &parties[0])
    forget_beyond(&stage.pool, &parties[1])
    memset(parties, 0, 2 * sizeof(party_t))
    pool_disown(&stage.mishaps, (<course_t*> stage.courses.data)[slot].mishaps)
    memset(<course_t*> stage.courses.data + slot, 0, sizeof(course_t))
    if stage.handshakes_wanted:
        pool_disown(&stage.resent, (<handshake_t*> stage.handshakes.data)[slot].resent)
        memset(<handshake_t*> stage.handshakes.data + slot, 0, sizeof(handshake_t))


cdef void write_record(const stage_t* stage, uint32_t slot, uint32_t stream, lifecycle_t* out) noexcept nogil:
    cdef const party_t* parties = <party_t*> stage.parties.data + 2 * <uint64_t> slot
    cdef const course_t* course = <course_t*> stage.courses.data + slot
    cdef const mishaps_t* mishaps
    cdef int client = parties.client, server = 1 - client
    out.stream = stream
    if stage.handshakes_wanted:
        write_handshake(stage, <handshake_t*> stage.handshakes.data + slot, course, out, client)
    write_history_text(course, out, client)
    out.client_largest, out.server_largest = parties[client].largest, parties[server].largest
    out.client_datagram, out.server_datagram = parties[client].datagram, parties[server].datagram
    out.client_fragments, out.server_fragments = fragmenting(&parties[client]), fragmenting(&parties[server])
    out.client_state = final_state(stage, course, parties[client].state)
    out.server_state = final_state(stage, course, parties[server].state)
    out.close_ns, out.closed_ns = course.close_ns, course.closed_ns
    if course.mishaps:
        mishaps = <mishaps_t*> pool_at(&stage.mishaps, 0, course.mishaps)
        out.client_lost, out.server_lost = mishaps.lost[client], mishaps.lost[server]
        out.after_fin, out.after_reset = mishaps.after_fin, mishaps.after_reset
    out.closer, out.resetter = role_of(closer_of(course), client), role_of(resetter_of(course), client)
    out.outcome = outcome_of(course)
    out.teardown = teardown_of(course, &parties[0], &parties[1])
    out.conn_state = conn_state_of(course, parties, client)


cdef inline uint8_t role_of(int direction, int client) noexcept nogil:
    """Closer of a direction + 1."""
    return 0 if direction == 0 else 1 + (direction - 1 != client)


cdef inline uint8_t final_state(const stage_t* stage, const course_t* course, uint8_t state) noexcept nogil:
    """TIME-WAIT may have ended since the stream's last segment."""
    cdef party_t party
    party.state, party.bits = state, 0
    expire(&party, stage.latest_ns - course.fin_ns, stage.time_wait_ns)
    return party.state


cdef inline void write_handshake(const stage_t* stage, const handshake_t* handshake, const course_t* course,
                                 lifecycle_t* out, int client) noexcept nogil:
    cdef const resent_t* resent = NULL
    out.syn_count = course.opening & (SEEN_SYN * 3) != 0
    out.synack_count = course.opening & (SEEN_SYNACK * 3) != 0
    if handshake.resent:
        resent = <resent_t*> pool_at(&stage.resent, 0, handshake.resent)
        out.syn_backoff_first, out.syn_backoff_last = resent.backoff_first[0], resent.backoff_last[0]
        out.synack_backoff_first, out.synack_backoff_last = resent.backoff_first[1], resent.backoff_last[1]
        out.syn_count += resent.copies[0]
        out.synack_count += resent.copies[1]
    out.syn_ns, out.synack_ns, out.ack_ns = handshake.first_ns[0], handshake.first_ns[1], handshake.ack_ns
    out.syn_sent_ns, out.synack_sent_ns = last_sent(handshake, resent, 0), last_sent(handshake, resent, 1)
    out.client_mss, out.server_mss = handshake.mss[client], handshake.mss[1 - client]
    out.client_wscale, out.server_wscale = handshake.wscale[client], handshake.wscale[1 - client]
    out.client_offers, out.server_offers = handshake.offers[client], handshake.offers[1 - client]
    out.request_ns, out.response_ns = handshake.request_ns, handshake.response_ns
    out.handshake = course.opening & ~<uint8_t> COMPLETED != 0


cdef inline void write_history_text(const course_t* course, lifecycle_t* out, int client) noexcept nogil:
    """Zeek's letters: capitals for the client, and ^ first if it is the other end."""
    cdef uint8_t[LETTERS + 1] history
    cdef const char* names = "SHADFRQIGTW"
    cdef uint64_t entry
    cdef int i
    memset(history, 0, sizeof(history))
    if client:
        history[0] = c'^'
    for i in range(course.n_letters):
        entry = course.history[i // IN_A_WORD] >> 5 * (i % IN_A_WORD)
        history[i + client] = names[entry & 15] | <uint8_t> ((entry & SECOND_SENDER != 0) ^ client) << 5
    memcpy(&out.history0, history, sizeof(history))
