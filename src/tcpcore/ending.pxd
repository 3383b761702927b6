"""The words for how a stream began and ended, from what was noted of it."""
from libc.stdint cimport uint8_t, uint32_t

from tcpcore.flags cimport (
    CONN_OTH, CONN_REJ, CONN_RSTO, CONN_RSTOS0, CONN_RSTR, CONN_RSTRH, CONN_S0, CONN_S1, CONN_S2, CONN_S3, CONN_SF,
    CONN_SH, CONN_SHR, OUTCOME_ABORTED, OUTCOME_COMPLETE, OUTCOME_FAST_OPEN, OUTCOME_MIDSTREAM, OUTCOME_NO_ANSWER,
    OUTCOME_REFUSED, OUTCOME_SIMULTANEOUS, OUTCOME_UNANSWERED, TEARDOWN_FOUR_WAY, TEARDOWN_HALF_CLOSED,
    TEARDOWN_REFUSED, TEARDOWN_RESET, TEARDOWN_SILENT, TEARDOWN_SIMULTANEOUS, TEARDOWN_THREE_WAY)
from tcpcore.lifetime cimport (
    COMPLETED, REFUSED, SEEN_EARLY_DATA, SEEN_FIN, SEEN_SYN, SEEN_SYNACK, course_t, resetter_of)
from tcpcore.party cimport FIN_ACKED, FIN_COMBINED, FIN_KNOWN, party_t
from tcpcore.seqnum cimport after


cdef inline uint8_t outcome_of(const course_t* course) noexcept nogil:
    """Outcome."""
    if course.opening & (SEEN_SYN * 3 | SEEN_SYNACK * 3) == 0:
        return OUTCOME_MIDSTREAM
    if course.opening & COMPLETED:
        if course.opening & SEEN_SYN * 3 == SEEN_SYN * 3:
            return OUTCOME_SIMULTANEOUS
        return OUTCOME_FAST_OPEN if course.opening & SEEN_EARLY_DATA else OUTCOME_COMPLETE
    if course.end & REFUSED:
        return OUTCOME_REFUSED
    if resetter_of(course):
        return OUTCOME_ABORTED
    return OUTCOME_UNANSWERED if course.opening & SEEN_SYNACK * 3 else OUTCOME_NO_ANSWER


cdef inline uint8_t teardown_of(const course_t* course, const party_t* one, const party_t* other) noexcept nogil:
    """Teardown: a RST counts unless both FINs had been acknowledged before."""
    cdef uint32_t both = one.bits & other.bits
    if course.end & REFUSED:
        return TEARDOWN_REFUSED
    if resetter_of(course) and not both & FIN_ACKED:
        return TEARDOWN_RESET
    if both & FIN_KNOWN:
        if not after(one.fin_ack, <uint32_t> other.fin) and not after(other.fin_ack, <uint32_t> one.fin):
            return TEARDOWN_SIMULTANEOUS
        return TEARDOWN_THREE_WAY if (one.bits | other.bits) & FIN_COMBINED else TEARDOWN_FOUR_WAY
    return TEARDOWN_HALF_CLOSED if (one.bits | other.bits) & FIN_KNOWN else TEARDOWN_SILENT


cdef inline uint8_t conn_state_of(const course_t* course, const party_t* parties, int client) noexcept nogil:
    """ConnState: Zeek's originator is the client."""
    cdef bint syn = course.opening & SEEN_SYN << client, synack = course.opening & SEEN_SYNACK << (1 - client)
    cdef bint client_fin = course.closing & SEEN_FIN << client, server_fin = course.closing & SEEN_FIN << (1 - client)
    cdef bint open = course.opening & COMPLETED
    if resetter_of(course) and not parties[0].bits & parties[1].bits & FIN_ACKED:
        if resetter_of(course) - 1 == client:
            return CONN_RSTO if open or synack else CONN_RSTOS0 if syn else CONN_OTH
        return CONN_RSTRH if synack and not syn else CONN_RSTR if open or synack else CONN_REJ if syn else CONN_OTH
    if syn and (synack or open):
        if client_fin or server_fin:
            return CONN_SF if client_fin and server_fin else CONN_S2 if client_fin else CONN_S3
        return CONN_S1 if open else CONN_S0
    if syn:
        return CONN_SH if client_fin else CONN_S0
    return CONN_SHR if synack and server_fin and not open else CONN_OTH
